/** One actor as it goes on: what is told, in which order, and what happens to a reader that is slow. */

import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { watch } from "../driver/watch.ts";
import { type AnyDriver, inspected, Live } from "./ground.ts";

const counter = actor({
  state: { count: 0 } as { count: number; note?: string; text?: string },
  actions: {
    increment: (c) => ++c.state.count,
    note: (c) => {
      c.state.note = "here";
    },
    drop: (c) => {
      delete c.state.note;
    },
    write: (c, text: string) => {
      c.state.text = text;
    },
    end: (c) => c.destroy(),
  },
});

async function idOf(driver: AnyDriver): Promise<string> {
  return (await driver.http("POST", "/actor/counter/resolve?key=a", {})).actorId ?? "";
}

test("a snapshot, and then each change when it is durable, each call when it has ended, each phase", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver);
  await driver.act("counter?key=a", "increment");
  const live = new Live(driver, id);
  await driver.world.until(() => live.told.length === 1);
  expect(live.told[0]).toMatchObject({
    kind: "snapshot",
    overview: { id, phase: "running", connections: [] },
    state: { count: 1 },
    calls: [{ action: "increment", outcome: "ok" }],
  });

  await driver.act("counter?key=a", "note");
  await driver.act("counter?key=a", "drop");
  await driver.world.until(() => live.told.length === 5);
  expect(live.told.slice(1)).toMatchObject([
    { kind: "state", set: { note: "here" }, removed: [] },
    { kind: "call", call: { action: "note" } },
    { kind: "state", set: {}, removed: ["note"] },
    { kind: "call", call: { action: "drop" } },
  ]);

  await driver.runtime.host.sleep(id);
  await driver.act("counter?key=a", "increment");
  await driver.world.until(() => live.kinds.filter((kind) => kind === "phase").length === 4);
  const phases = live.told.filter(({ kind }) => kind === "phase").map(({ phase }) => phase);
  expect(phases).toEqual(["stopping", "asleep", "loading", "running"]);
  await driver.world.until(() => live.last("state").set.count === 2);
});

test("nothing is told before it is on disk", async () => {
  await using driver = await inspected({ counter });
  const live = new Live(driver, await idOf(driver));
  await driver.world.until(() => live.told.length === 1);
  driver.syncs.hold();
  const called = watch(driver.act("counter?key=a", "increment"));
  await driver.world.idle();
  await driver.world.pass(limits.inspectorLookMs);
  expect([called.state, ...live.kinds]).toEqual(["pending", "snapshot"]);
  driver.syncs.letGo();
  await driver.world.until(() => live.told.length >= 3);
  expect(live.kinds.slice(1, 3)).toEqual(["state", "call"]);
});

test("who comes and goes is told, masked", async () => {
  await using driver = await inspected({ counter });
  const live = new Live(driver, await idOf(driver));
  await driver.world.until(() => live.told.length === 1);
  const socket = driver.socket("/actor/counter/connect?key=a");
  socket.hello({ params: { token: "hunter2" } });
  await driver.world.pass(limits.inspectorLookMs);
  expect(live.last("overview").overview.connections).toMatchObject([{ params: { token: "<string>" } }]);
  expect(JSON.stringify(live.told)).not.toContain("hunter2");
  socket.close();
  await driver.world.pass(limits.inspectorLookMs);
  expect(live.last("overview").overview).toMatchObject({ connections: [], awakeReasons: [] });
});

test("a reader that doesn't keep up is told of a gap, and gets a new snapshot behind it", async () => {
  await using driver = await inspected({ counter });
  const live = new Live(driver, await idOf(driver));
  await driver.world.until(() => live.told.length === 1);
  const unread = { bytes: limits.inspectorLiveBytes + 1 };
  Object.defineProperty(live.far, "bufferedBytes", { get: () => unread.bytes });
  for (let n = 0; n < 5; n += 1) await driver.act("counter?key=a", "increment");
  await driver.world.pass(limits.inspectorLookMs);
  expect(live.told).toHaveLength(1);
  unread.bytes = 0;
  await driver.world.pass(limits.inspectorLookMs);
  expect(live.told.slice(1)).toMatchObject([
    { kind: "gap", lost: 10 },
    { kind: "snapshot", state: { count: 5 } },
  ]);
  await driver.act("counter?key=a", "increment");
  await driver.world.until(() => live.last("state")?.set.count === 6);
});

test("a value that is too long to be shown is told by its size", async () => {
  await using driver = await inspected({ counter });
  const live = new Live(driver, await idOf(driver));
  await driver.world.until(() => live.told.length === 1);
  await driver.act("counter?key=a", "write", "x".repeat(limits.stateChunkBytes));
  await driver.world.until(() => live.last("state") !== undefined);
  expect(live.last("state").set.text).toEqual({ leftOut: true, bytes: expect.any(Number) });
});

test("it ends with the actor, and there are only so many", async () => {
  await using driver = await inspected({ counter });
  const id = await idOf(driver);
  const live = new Live(driver, id);
  const none = new Live(driver, "nobody");
  await driver.world.until(() => live.told.length === 1 && none.closed !== undefined);
  expect(none.closed).toMatchObject({ reason: "actor.not_found" });
  const many = Array.from({ length: limits.inspectorWatchers - 1 }, () => new Live(driver, id));
  expect(() => new Live(driver, id)).toThrow(expect.objectContaining({ code: "too_many_watchers" }));
  many[0]?.link.close(1000, "");
  await driver.world.idle();
  many.push(new Live(driver, id));
  await driver.act("counter?key=a", "end");
  await driver.world.pass(limits.inspectorLookMs);
  expect(live.closed).toMatchObject({ code: 1000, reason: "actor.not_found" });
});
