/** Calls to come: they fire once, wake their actor, survive restarts, and are repeated only when a crash cut them off. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch, watch } from "../driver/watch.ts";

const DAY = 86_400_000;
let work: Latch | undefined;

const planner = actor({
  state: { fired: [] as unknown[], started: 0 },
  options: { sleepTimeout: 5_000, sleepGracePeriod: 1_000, maxSchedules: 5 },
  actions: {
    after: (c, ms: number, ...args: unknown[]) => c.schedule.after(ms, "fire", ...args),
    at: (c, time: number, ...args: unknown[]) => c.schedule.at(time, "fire", ...args),
    // @ts-expect-error what is written in JavaScript isn't checked
    unknown: (c) => c.schedule.after(1, "nothing"),
    failing: (c, ms: number) => c.schedule.after(ms, "fail"),
    cancel: (c, id: string) => c.schedule.cancel(id),
    get: (c, id: string) => c.schedule.get(id),
    list: (c) => c.schedule.list(),
    fire: async (c, ...args: unknown[]) => {
      c.state.started += 1;
      await work?.promise;
      c.state.fired.push(args);
    },
    fail: (c) => {
      c.state.started += 1;
      throw new Error("scheduled failure");
    },
    state: (c) => c.state,
    nap: (c) => c.sleep(),
  },
});

type Planner = Driver<{ planner: typeof planner }>;

const state = async (driver: Planner) =>
  (await driver.act("planner", "state")).output as {
    fired: [string, { scheduledAt: number; firedAt: number }][];
    started: number;
  };

test("after: fires once, at its time, with its arguments and what is known of the firing", async () => {
  await using driver = await Driver.start({ planner });
  const start = driver.world.clock.now();
  const id = (await driver.act("planner", "after", 1_500, "a")).output;
  await driver.world.pass(1_499);
  expect((await state(driver)).fired).toEqual([]);
  await driver.world.pass(1);
  const info = { kind: "at", id, scheduledAt: start + 1_500, firedAt: start + 1_500 };
  expect((await state(driver)).fired).toEqual([["a", info]]);
  await driver.world.pass(DAY);
  expect((await state(driver)).fired).toHaveLength(1);
});

test("at, get, list, cancel", async () => {
  await using driver = await Driver.start({ planner });
  const now = driver.world.clock.now();
  const late = (await driver.act("planner", "at", now + 9_000, "late")).output as string;
  const soon = (await driver.act("planner", "at", now + 1_000, "soon")).output as string;
  const past = (await driver.act("planner", "at", now - 1_000, "past")).output as string;
  const entry = { id: soon, action: "fire", args: ["soon"], runAt: now + 1_000 };
  expect((await driver.act("planner", "get", soon)).output).toEqual(entry);
  expect((await driver.act("planner", "get", "no")).output).toBeUndefined();
  expect(((await driver.act("planner", "list")).output as { id: string }[]).map((item) => item.id)).toEqual([
    past,
    soon,
    late,
  ]);
  expect((await driver.act("planner", "cancel", late)).output).toBe(true);
  expect((await driver.act("planner", "cancel", late)).output).toBe(false);
  await driver.world.pass(20_000);
  expect((await state(driver)).fired.map(([name]) => name)).toEqual(["past", "soon"]);
  expect((await driver.act("planner", "cancel", soon)).output).toBe(false);
  expect((await driver.act("planner", "list")).output).toEqual([]);
  expect(driver.disk.alarms()).toEqual([]);
});

test("a sleeping actor is woken, and sleeps again", async () => {
  await using driver = await Driver.start({ planner });
  await driver.act("planner", "after", 30_000, "a");
  await driver.world.pass(10_000);
  expect(driver.runtime.host.size).toBe(0);
  await driver.world.pass(20_000);
  expect(driver.runtime.host.size).toBe(1);
  await driver.world.pass(5_000);
  expect(driver.runtime.host.size).toBe(0);
  expect((await state(driver)).fired).toHaveLength(1);
});

test("it survives a restart and a crash; what is overdue at the start fires at once", async () => {
  await using driver = await Driver.start({ planner });
  await driver.act("planner", "after", 10_000, "restart");
  await driver.act("planner", "after", 3_600_000, "crash");
  await driver.restart();
  expect(driver.runtime.host.size).toBe(0);
  await driver.world.pass(10_000);
  expect((await state(driver)).fired.map(([name]) => name)).toEqual(["restart"]);
  driver.world.setWallClock(driver.world.clock.now() + 2 * 3_600_000);
  await driver.crash();
  await driver.world.pass(1);
  expect(driver.runtime.host.size).toBe(1);
  expect((await state(driver)).fired.map(([name]) => name)).toEqual(["restart", "crash"]);
});

test("a crash in the middle of a call: it runs again; one after its end: it doesn't", async () => {
  await using driver = await Driver.start({ planner });
  work = new Latch();
  await driver.act("planner", "after", 1_000, "a");
  await driver.world.pass(1_000);
  expect(await state(driver)).toMatchObject({ started: 1, fired: [] });
  await driver.crash();
  work = undefined;
  await driver.world.pass(1_000);
  expect(await state(driver)).toMatchObject({ started: 2, fired: [["a", {}]] });
  await driver.crash();
  await driver.world.pass(10_000);
  expect(await state(driver)).toMatchObject({ started: 2, fired: [["a", {}]] });
});

test("a call that outlasts the grace period runs again in the next life", async () => {
  await using driver = await Driver.start({ planner });
  work = new Latch();
  await driver.act("planner", "after", 1_000, "a");
  await driver.world.pass(1_000);
  await driver.act("planner", "nap");
  // The grace period ends, and the next life begins with what is due.
  await driver.world.pass(1_000);
  expect(await state(driver)).toMatchObject({ started: 2, fired: [] });
  work.open();
  work = undefined;
  await driver.world.pass(10_000);
  expect(await state(driver)).toMatchObject({ started: 2, fired: [["a", {}]] });
  expect(driver.world.logged("error", "a scheduled call failed")).toEqual([]);
});

test("a failing call is logged and kept, wakes nobody, and the others go on", async () => {
  await using driver = await Driver.start({ planner });
  await driver.act("planner", "failing", 1_000);
  await driver.act("planner", "after", 1_000, "b");
  await driver.world.pass(60_000);
  expect(await state(driver)).toMatchObject({ started: 2, fired: [["b", {}]] });
  expect(driver.world.logged("error", "a scheduled call failed")).toHaveLength(1);
  expect(driver.disk.alarms()).toEqual([]);
  const error = { group: "internal", code: "error", message: "scheduled failure" };
  expect((await driver.act("planner", "list")).output).toMatchObject([
    { action: "fail", failed: { error, attempts: 1 } },
  ]);
});

test("limits: how many, how large, known actions, finite times", async () => {
  await using driver = await Driver.start({ planner });
  expect((await driver.act("planner", "unknown")).code).toBe("schedule.unknown_action");
  expect((await driver.act("planner", "after", 1, "x".repeat(limits.scheduleArgsBytes))).code).toBe(
    "schedule.args_too_large",
  );
  expect((await driver.http("POST", "/actor/planner/action/after", { args: ["soon"] })).code).toBe(
    "schedule.invalid_time",
  );
  for (let index = 0; index < 5; index += 1) await driver.act("planner", "after", DAY);
  expect(await driver.act("planner", "after", DAY)).toMatchObject({ status: 429, code: "schedule.too_many" });
});

test("a time past 2^31 ms, asleep for most of it", async () => {
  await using driver = await Driver.start({ planner });
  const far = 60 * DAY;
  await driver.act("planner", "after", far, "far");
  await driver.world.pass(far - 1);
  expect((await state(driver)).fired).toEqual([]);
  await driver.world.pass(1);
  expect((await state(driver)).fired).toHaveLength(1);
}, 60_000);

test("the wall clock is set forward: what became due fires within a minute, awake or asleep", async () => {
  for (const nap of [false, true]) {
    await using driver = await Driver.start({ planner });
    await driver.act("planner", "after", 10 * 3_600_000, "a");
    if (nap) await driver.act("planner", "nap");
    // A connection keeps the other one awake.
    else driver.socket("/actor/planner/connect").hello();
    await driver.world.idle();
    driver.world.setWallClock(driver.world.clock.now() + 11 * 3_600_000);
    await driver.world.pass(60_000);
    expect((await state(driver)).fired).toHaveLength(1);
  }
});

test("the wall clock is set back: nothing fires before its time, and then once", async () => {
  await using driver = await Driver.start({ planner });
  await driver.act("planner", "after", 10_000, "a");
  driver.world.setWallClock(driver.world.clock.now() - 600_000);
  await driver.world.pass(609_999);
  expect((await state(driver)).fired).toEqual([]);
  await driver.world.pass(60_001);
  expect((await state(driver)).fired).toHaveLength(1);
});

test("a schedule and the state of its turn are stored together", async () => {
  const both = actor({
    state: { n: 0 },
    actions: {
      plan: async (c) => {
        c.state.n += 1;
        await c.schedule.after(DAY, "plan");
        c.state.n += 1;
      },
      ping: () => 1,
    },
  });
  await using driver = await Driver.start({ both });
  await driver.act("both", "ping");
  driver.takeBatches();
  await driver.act("both", "plan");
  const batches = driver.takeBatches();
  expect(batches.map((rows) => rows.map((row) => row.key.slice(0, 2)).sort())).toEqual([["s:", "t:"]]);
  expect(driver.disk.alarms()).toHaveLength(1);
});

test("a reply that made a schedule waits until it is durable", async () => {
  await using driver = await Driver.start({ planner });
  await driver.act("planner", "state");
  driver.syncs.hold();
  const made = watch(driver.act("planner", "after", 1_000));
  await driver.world.idle();
  expect(made.state).toBe("pending");
  driver.syncs.letGo();
  await driver.world.idle();
  expect(made.state).toBe("resolved");
});

test("a fired call whose end could not be stored runs again by itself: nobody has to call the actor", async () => {
  const fired: number[] = [];
  const once = actor({
    actions: {
      plan: (c) => c.schedule.after(1_000, "fire"),
      fire: () => void fired.push(fired.length),
    },
  });
  await using driver = await Driver.start({ once });
  await driver.act("once", "plan");
  driver.syncs.failWrites(1);
  await driver.world.pass(1_000);
  expect([fired, driver.runtime.host.size]).toEqual([[0], 0]);
  expect(driver.disk.alarms()).toHaveLength(1);
  await driver.world.pass(2_000);
  expect([fired, driver.disk.alarms()]).toEqual([[0, 1], []]);
  await driver.world.pass(DAY);
  expect(fired).toEqual([0, 1]);
});

const rung: (string | undefined)[] = [];
const bell = actor({
  options: { sleepTimeout: 120_000 },
  actions: {
    plan: (c, ms: number) => c.schedule.after(ms, "ring"),
    ring: (c) => void rung.push(c.key[0]),
  },
});

test("two actors are due, and one may be awake: neither is put to sleep for the other before its call", async () => {
  rung.length = 0;
  await using driver = await Driver.start({ bell }, { maxAwakeActors: 1 });
  const hour = 3_600_000;
  await driver.act("bell?key=asleep", "plan", 10 * hour + 1);
  await driver.act("bell?key=awake", "plan", 10 * hour);
  // The alarm clock and the one that is awake see it at the same time, the clock first.
  driver.world.setWallClock(driver.world.clock.now() + 11 * hour);
  await driver.world.pass(60_100);
  expect(rung).toEqual(["asleep", "awake"]);
  expect(driver.disk.alarms()).toEqual([]);
});

test("more actors are due at a start than may be awake: each runs its call in its turn", async () => {
  rung.length = 0;
  await using driver = await Driver.start({ bell }, { maxAwakeActors: 1 });
  const keys = ["a", "b", "c"];
  for (const [index, key] of keys.entries()) await driver.act(`bell?key=${key}`, "plan", 1_000 + index);
  driver.world.setWallClock(driver.world.clock.now() + DAY);
  await driver.restart();
  await driver.world.pass(100);
  expect(rung).toEqual(keys);
  expect(driver.disk.alarms()).toEqual([]);
});

test("a due call begins behind the first turn of run", async () => {
  const order: string[] = [];
  const runner = actor({
    run: () => void order.push("run"),
    actions: {
      plan: (c) => c.schedule.after(1_000, "ring"),
      ring: () => void order.push("ring"),
    },
  });
  await using driver = await Driver.start({ runner });
  await driver.act("runner", "plan");
  await driver.crash();
  order.length = 0;
  await driver.world.pass(1_000);
  expect(order).toEqual(["run", "ring"]);
});
