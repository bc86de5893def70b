/** The save at the end of a life: it is never given up in silence, and nothing leaves that depends on one that failed. */
import { limits } from "@troupe/protocol";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

let later = new Latch();

const sleeper = actor({
  state: { slept: 0, bag: new Map<string, number>() },
  events: { bye: event<number>(), filler: event<string>() },
  options: { sleepGracePeriod: 1_000 },
  onSleep: (c) => {
    c.state.slept += 1;
    c.broadcast("bye", c.state.slept);
  },
  actions: {
    slept: (c) => c.state.slept,
    add: (c, by: number) => {
      c.state.slept += by;
    },
    stashed: (c) => [...c.state.bag.keys()],
    stashLater: async (c) => {
      const { bag } = c.state;
      bag.set("early", 1);
      await later.promise;
      bag.set("late", 1);
    },
    readLater: async (c) => {
      const { size } = c.state.bag;
      await later.promise;
      return size;
    },
    addLater: async (c, by: number) => {
      await later.promise;
      try {
        c.state.slept += by;
      } finally {
        c.destroy();
      }
    },
    fill: (c) => {
      c.state.slept += 0.5;
      for (let n = 0; n < limits.gateOutputs; n += 1) c.broadcast("filler", "");
    },
  },
});

async function start() {
  const driver = await Driver.start({ sleeper });
  const socket = driver.socket("/actor/sleeper/connect").hello().subscribe(1, "bye");
  const { actorId = "" } = await driver.http("POST", "/actor/sleeper/resolve");
  await driver.world.idle();
  return { driver, socket, actorId };
}

test("a last save that fails is in the log, what waits for it fails, and none of it leaves", async () => {
  const { driver, socket, actorId } = await start();
  await using _ = driver;
  driver.syncs.failWrites(2);
  await driver.runtime.host.sleep(actorId);
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "subscribed 1"]);
  expect(socket.closed).toEqual({ code: 1011, reason: "actor.broken" });
  const [line, ...others] = driver.world.logged("error", "the last save of a stop failed");
  expect(others).toEqual([]);
  expect(line?.fields).toMatchObject({ actor: "sleeper", actorId, reason: "sleep" });
  expect(line?.fields["cause"]).toMatchObject({ group: "storage", code: "commit_failed" });
  // The next life has a connection to forget.
  driver.syncs.failWrites(0);
  expect((await driver.act("sleeper", "slept")).output).toBe(0);
});

test("a turn behind the last save writes nothing, also while that save waits to be taken", async () => {
  const { driver, actorId } = await start();
  await using _ = driver;
  later = new Latch();
  const left = watch(driver.act("sleeper", "addLater", 100));
  driver.syncs.hold();
  void driver.act("sleeper", "add", 10);
  await driver.world.until(() => driver.syncs.waiting > 0);
  void driver.act("sleeper", "add", 20);
  const slept = watch(driver.runtime.host.sleep(actorId));
  await driver.world.pass(1_000);
  later.open();
  await driver.world.idle();
  expect([slept.state, left.state]).toEqual(["pending", "pending"]);
  driver.syncs.letGo();
  await driver.world.until(() => left.state !== "pending");
  expect(left.value?.code).toBe("actor.stopped");
  expect((await driver.act("sleeper", "slept")).output).toBe(31);
});

test("a write behind the last save that no trap sees is told to its writer as well, and a reading is not", async () => {
  for (const action of ["stashLater", "readLater"] as const) {
    const { driver, actorId } = await start();
    await using _ = driver;
    later = new Latch();
    const left = watch(driver.act("sleeper", action));
    await driver.world.idle();
    const slept = watch(driver.runtime.host.sleep(actorId));
    await driver.world.pass(1_000);
    expect([slept.state, left.state]).toEqual(["resolved", "pending"]);
    later.open();
    await driver.world.until(() => left.state !== "pending");
    expect(left.value?.code).toBe(action === "readLater" ? undefined : "actor.stopped");
    const stashed = action === "readLater" ? [] : ["early"];
    expect((await driver.act("sleeper", "stashed")).output).toEqual(stashed);
  }
});

test("a full gate is no reason to give the last save up", async () => {
  const { driver, socket, actorId } = await start();
  await using _ = driver;
  socket.subscribe(2, "filler");
  await driver.world.idle();
  driver.syncs.hold();
  const filled = watch(driver.act("sleeper", "fill"));
  await driver.world.idle();
  // The reply found no room; what stands in the gate waits for the disk.
  expect(filled.value?.code).toBe("gate.full");
  const slept = watch(driver.runtime.host.sleep(actorId));
  await driver.world.idle();
  expect([slept.state, socket.story.length]).toEqual(["pending", 3]);
  driver.syncs.letGo();
  await driver.world.until(() => slept.state !== "pending");
  expect(driver.world.logged("error", "last save")).toEqual([]);
  expect((await driver.act("sleeper", "slept")).output).toBe(1.5);
});

test("a full gate whose last save fails lets nothing out", async () => {
  const { driver, socket, actorId } = await start();
  await using _ = driver;
  socket.subscribe(2, "filler");
  await driver.world.idle();
  driver.world.holdTurns();
  void driver.act("sleeper", "fill");
  const slept = watch(driver.runtime.host.sleep(actorId));
  driver.syncs.failWrites(2);
  driver.world.resumeTurns();
  await driver.world.until(() => slept.state !== "pending");
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "subscribed 1", "subscribed 2"]);
  expect(driver.world.logged("error", "the last save of a stop failed")).toHaveLength(1);
  // The next life has a connection to forget.
  driver.syncs.failWrites(0);
  expect((await driver.act("sleeper", "slept")).output).toBe(0);
});
