/** When a shard is checkpointed: passes under load, at rest, and after one that failed. */
import { expect, test } from "vitest";
import { Checkpoints } from "../../src/node/sqlite/checkpoints.ts";
import { Latch, watch } from "../driver/watch.ts";
import { World } from "../driver/world.ts";

const LIMIT = 10 * 1024 * 1024;
const IDLE_MS = 2_000;
const WARNING = "a checkpoint failed; the log grows until one succeeds";

/** Checkpoints whose passes end as the test says; `passed` counts those that were told of. */
function shard() {
  const world = new World();
  const passes: Latch[] = [];
  const told = { passed: 0, trouble: false };
  const checkpoints = new Checkpoints({
    env: world,
    pass: async () => {
      const pass = new Latch();
      passes.push(pass);
      await pass.promise;
      return { frames: 1, checkpointed: 1 };
    },
    passed: () => {
      told.passed += 1;
      if (told.trouble) throw new Error("EIO");
    },
    limitBytes: LIMIT,
    idleMs: IDLE_MS,
  });
  const last = (): Latch => {
    const pass = passes.at(-1);
    if (pass === undefined) throw new Error("no pass began");
    return pass;
  };
  return {
    world,
    checkpoints,
    told,
    get passes() {
      return passes.length;
    },
    async succeed() {
      last().open();
      await world.idle();
    },
    async fail() {
      last().fail(new Error("SQLITE_IOERR"));
      await world.idle();
    },
    get warnings() {
      return world.logged("warn", WARNING).length;
    },
  };
}

test("a pass begins at the limit, and one that leaves nothing is the last", async () => {
  const log = shard();
  log.checkpoints.wrote(LIMIT - 1);
  expect(log.passes).toBe(0);
  log.checkpoints.wrote(1);
  expect(log.passes).toBe(1);
  await log.succeed();
  expect([log.passes, log.checkpoints.behind, log.told.passed]).toEqual([1, false, 1]);
  await log.world.pass(10 * IDLE_MS);
  expect(log.passes).toBe(1);
});

test("what came during a pass needs another one; a little of it is caught up with beside a sync", async () => {
  const log = shard();
  log.checkpoints.wrote(LIMIT);
  log.checkpoints.wrote(LIMIT / 2);
  await log.succeed();
  expect([log.passes, log.checkpoints.behind]).toEqual([2, false]);
  log.checkpoints.wrote(1_000);
  await log.succeed();
  expect([log.passes, log.checkpoints.behind]).toEqual([2, true]);
  const caughtUp = watch(log.checkpoints.catchUp());
  expect([log.passes, log.checkpoints.behind]).toEqual([3, false]);
  await log.succeed();
  expect([caughtUp.state, log.told.passed]).toEqual(["resolved", 3]);
  await log.world.pass(10 * IDLE_MS);
  expect(log.passes).toBe(3);
});

test("passes that never get ahead of the writers end after four, and the rest waits for a sync", async () => {
  const log = shard();
  log.checkpoints.wrote(LIMIT);
  for (let pass = 1; pass <= 4; pass += 1) {
    expect([log.passes, log.checkpoints.behind]).toEqual([pass, false]);
    log.checkpoints.wrote(LIMIT);
    await log.succeed();
  }
  expect([log.passes, log.checkpoints.behind]).toEqual([4, true]);
});

test("a shard without a write for a while is checkpointed once, also far below the limit", async () => {
  const log = shard();
  log.checkpoints.wrote(1);
  await log.world.pass(IDLE_MS - 1);
  log.checkpoints.wrote(1);
  await log.world.pass(1);
  expect(log.passes).toBe(0);
  await log.world.pass(IDLE_MS);
  expect(log.passes).toBe(1);
  await log.succeed();
  await log.world.pass(10 * IDLE_MS);
  expect([log.passes, log.world.pendingTimers]).toEqual([1, 0]);
});

test("a pass that failed moved nothing: it is tried again at the idle tick until one succeeds, and logged once", async () => {
  const log = shard();
  log.checkpoints.wrote(LIMIT);
  await log.fail();
  expect([log.passes, log.told.passed, log.warnings, log.checkpoints.behind]).toEqual([1, 1, 1, false]);
  // The tick that was set with the write sees the write; the next one sees none.
  await log.world.pass(2 * IDLE_MS);
  expect(log.passes).toBe(2);
  await log.fail();
  expect([log.told.passed, log.warnings]).toEqual([2, 1]);
  await log.world.pass(IDLE_MS);
  expect(log.passes).toBe(3);
  await log.succeed();
  expect([log.told.passed, log.warnings]).toEqual([3, 1]);
  await log.world.pass(10 * IDLE_MS);
  expect(log.passes).toBe(3);
});

test("after a failed pass writes try again only when another limit's worth was written", async () => {
  const log = shard();
  log.checkpoints.wrote(LIMIT);
  log.checkpoints.wrote(1_000);
  await log.fail();
  for (let write = 0; write < 3; write += 1) log.checkpoints.wrote((LIMIT - 1) / 3);
  log.checkpoints.wrote(0.5);
  expect(log.passes).toBe(1);
  log.checkpoints.wrote(0.5);
  expect(log.passes).toBe(2);
  await log.succeed();
  // Everything was moved, and the limit is the first one again.
  log.checkpoints.wrote(LIMIT - 1);
  expect(log.passes).toBe(2);
  log.checkpoints.wrote(1);
  expect(log.passes).toBe(3);
});

test("a later failure, after a success, is news again", async () => {
  const log = shard();
  log.checkpoints.wrote(LIMIT);
  await log.fail();
  log.checkpoints.wrote(LIMIT);
  await log.succeed();
  log.checkpoints.wrote(LIMIT);
  await log.fail();
  expect([log.passes, log.warnings, log.told.passed]).toEqual([3, 2, 3]);
});

test("a pass beside a sync that fails never rejects, and its bytes stay pending", async () => {
  const log = shard();
  log.checkpoints.wrote(LIMIT);
  log.checkpoints.wrote(1_000);
  await log.succeed();
  const caughtUp = watch(log.checkpoints.catchUp());
  await log.fail();
  expect([caughtUp.state, log.warnings, log.told.passed]).toEqual(["resolved", 1, 2]);
  expect(log.checkpoints.behind).toBe(false);
  await log.world.pass(2 * IDLE_MS);
  expect(log.passes).toBe(3);
});

test("who is told of a pass and throws makes it a failed one: it is tried again, beside a sync too", async () => {
  const log = shard();
  log.told.trouble = true;
  log.checkpoints.wrote(LIMIT);
  await log.succeed();
  expect([log.passes, log.warnings, log.checkpoints.behind]).toEqual([1, 1, false]);
  const caughtUp = watch(log.checkpoints.catchUp());
  await log.succeed();
  expect([caughtUp.state, log.passes]).toEqual(["resolved", 2]);
  log.told.trouble = false;
  await log.world.pass(2 * IDLE_MS);
  await log.succeed();
  expect([log.passes, log.warnings, log.told.passed]).toEqual([3, 1, 3]);
  await log.world.pass(10 * IDLE_MS);
  expect(log.passes).toBe(3);
});

test("stop waits for the pass that runs, and nothing begins after it", async () => {
  const log = shard();
  log.checkpoints.wrote(LIMIT);
  log.checkpoints.wrote(LIMIT);
  const stopped = watch(log.checkpoints.stop());
  await log.world.idle();
  expect([stopped.state, log.told.passed]).toEqual(["pending", 0]);
  await log.fail();
  expect([stopped.state, log.told.passed]).toEqual(["resolved", 1]);
  log.checkpoints.wrote(10 * LIMIT);
  await log.world.pass(10 * IDLE_MS);
  expect([log.passes, log.world.pendingTimers]).toEqual([1, 0]);
});
