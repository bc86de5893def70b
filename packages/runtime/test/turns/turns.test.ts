/** Promise 2: what one turn wrote is stored together; a turn ends at a timer, I/O or another actor, not at an await. */
import { decodeCbor } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

let timer = new Latch();

const writer = actor({
  state: { a: 0, b: 0 },
  actions: {
    ping: () => "pong",
    settledAwait: async (c) => {
      c.state.a += 1;
      await Promise.resolve();
      await (async () => {})();
      await Promise.all([Promise.resolve(), Promise.resolve()]);
      c.state.b += 1;
    },
    timerAwait: async (c) => {
      c.state.a += 1;
      await timer.promise;
      c.state.b += 1;
    },
    add: (c) => {
      c.state.a += 1;
    },
    fail: (c) => {
      c.state.a += 1;
      throw new Error("after the write");
    },
  },
});

/** The properties in each batch. */
function names(driver: Driver<{ writer: typeof writer }>): string[][] {
  return driver.takeBatches().map((rows) => rows.map((row) => row.key).filter((key) => key.startsWith("s:")));
}

test("an await on something settled doesn't end the turn: one batch", async () => {
  await using driver = await Driver.start({ writer });
  await driver.act("writer", "ping");
  driver.takeBatches();
  await driver.act("writer", "settledAwait");
  expect(names(driver)).toEqual([["s:a", "s:b"]]);
});

test("a wait on something outside ends the turn: two batches, and a crash between keeps the first", async () => {
  await using driver = await Driver.start({ writer });
  await driver.act("writer", "ping");
  driver.takeBatches();
  timer = new Latch();
  const call = watch(driver.act("writer", "timerAwait"));
  await driver.world.idle();
  expect(names(driver)).toEqual([["s:a"]]);
  const [actorId] = await ids(driver);
  expect(stateOf(driver, actorId)).toEqual({ a: 1, b: 0 });
  timer.open();
  await driver.world.idle();
  expect(call.state).toBe("resolved");
  expect(names(driver)).toEqual([["s:b"]]);
  await driver.crash();
  expect(stateOf(driver, actorId)).toEqual({ a: 1, b: 1 });
});

test("two actions in one turn share a batch", async () => {
  await using driver = await Driver.start({ writer });
  await driver.act("writer", "ping");
  driver.takeBatches();
  await Promise.all([driver.act("writer", "add"), driver.act("writer", "add")]);
  expect(names(driver)).toEqual([["s:a"]]);
});

test("a turn is never split: a sync that ends in the middle of one takes nothing of it", async () => {
  await using driver = await Driver.start({ writer });
  await driver.act("writer", "ping");
  driver.takeBatches();
  driver.syncs.hold();
  const first = watch(driver.act("writer", "add"));
  await driver.world.idle();
  expect(names(driver)).toEqual([["s:a"]]);
  // Ready behind the sync that runs; taken as it ends.
  const second = watch(driver.act("writer", "settledAwait"));
  await driver.world.idle();
  expect(names(driver)).toEqual([]);
  driver.syncs.finish();
  await driver.world.idle();
  expect(names(driver)).toEqual([["s:a", "s:b"]]);
  expect([first.state, second.state]).toEqual(["resolved", "pending"]);
});

test("an exception undoes nothing", async () => {
  await using driver = await Driver.start({ writer });
  expect((await driver.act("writer", "fail")).code).toBe("internal.error");
  const [actorId] = await ids(driver);
  expect(stateOf(driver, actorId)).toEqual({ a: 1, b: 0 });
});

async function ids(driver: Driver<{ writer: typeof writer }>): Promise<string[]> {
  const { actorId } = await driver.http("POST", "/actor/writer/resolve");
  return [actorId ?? ""];
}

function stateOf(driver: Driver<{ writer: typeof writer }>, actorId: string | undefined): unknown {
  const rows = driver.disk.rows(actorId ?? "").filter((row) => row.key.startsWith("s:"));
  return Object.fromEntries(rows.map((row) => [row.key.slice(2), decodeCbor(row.value)]));
}
