/** Recurring jobs: they run at their times, over sleep, restart and crash, and their history says what became of each. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { Latch } from "../driver/watch.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

let work: Latch | undefined;
let failures = 0;
beforeEach(() => {
  work = undefined;
  failures = 0;
});

interface Info {
  readonly kind: string;
  readonly name: string;
  readonly scheduledAt: number;
  readonly firedAt: number;
  readonly attempt?: number;
}

const clock = actor({
  // What can't be stored keeps its connection from hibernating: the actor stays awake under it.
  createConnState: () => () => {},
  state: { began: [] as number[], ended: [] as number[], infos: [] as Info[] },
  options: { sleepTimeout: 5_000, sleepGracePeriod: 1_000, maxSchedules: 3 },
  actions: {
    every: (c, interval: number, more: object = {}) =>
      c.cron.every({ name: "tick", interval, action: "tick", ...more }),
    cron: (c, expression: string, more: object = {}) =>
      c.cron.set({ name: "tick", expression, action: "tick", ...more }),
    tick: async (c, ...args: unknown[]) => {
      const info = args.at(-1) as Info;
      c.state.infos.push(info);
      c.state.began.push(info.scheduledAt);
      await work?.promise;
      failures -= 1;
      if (failures >= 0) throw new Error("tick failed");
      c.state.ended.push(info.scheduledAt);
    },
    get: (c, name = "tick") => c.cron.get(name),
    list: (c) => c.cron.list(),
    delete: (c, name = "tick") => c.cron.delete(name),
    history: (c, name = "tick", limit?: number) => c.cron.history(name, limit === undefined ? {} : { limit }),
    state: (c) => c.state,
    nap: (c) => c.sleep(),
    ping: () => 1,
  },
});

type Clock = Driver<{ clock: typeof clock }>;
const open = (): Promise<Clock> => Driver.start({ clock });

async function state(driver: Clock) {
  return (await driver.act("clock", "state")).output as { began: number[]; ended: number[]; infos: Info[] };
}

async function history(driver: Clock, ...args: unknown[]) {
  return (await driver.act("clock", "history", ...args)).output as {
    scheduledAt: number;
    result: string;
    finishedAt?: number;
    attempts?: number;
    error?: { message: string };
  }[];
}

/** Offsets from a start. */
const since = (start: number, times: readonly number[]): number[] => times.map((time) => time - start);

test("every: at each interval, without drift, below five seconds too, and what it is told", async () => {
  await using driver = await open();
  const start = driver.world.clock.now();
  await driver.act("clock", "every", 250, { args: ["a"] });
  await driver.world.pass(1_000);
  const { began, infos } = await state(driver);
  expect(since(start, began)).toEqual([250, 500, 750, 1_000]);
  const { id: _id, ...info } = infos[0] as Info & { id: string };
  expect(info).toEqual({ kind: "every", name: "tick", scheduledAt: start + 250, firedAt: start + 250 });
  expect((await driver.act("clock", "get")).output).toMatchObject({
    name: "tick",
    kind: "every",
    interval: 250,
    action: "tick",
    args: ["a"],
    nextRunAt: start + 1_250,
    lastRunAt: start + 1_000,
    maxHistory: 100,
  });
});

test("set: at the times of an expression in its zone, waking the actor each time", async () => {
  await using driver = await open();
  driver.world.setWallClock(Date.parse("2024-03-29T12:00:00Z"));
  await driver.act("clock", "cron", "30 2 * * *", { timezone: "Europe/Berlin" });
  for (let day = 0; day < 3; day += 1) {
    await driver.world.pass(DAY - HOUR);
    expect(driver.runtime.host.size).toBe(0);
    await driver.world.pass(HOUR);
  }
  expect((await state(driver)).began.map((time) => new Date(time).toISOString())).toEqual([
    "2024-03-30T01:30:00.000Z",
    "2024-03-31T01:00:00.000Z",
    "2024-04-01T00:30:00.000Z",
  ]);
}, 60_000);

test("jobs and one-shot calls share the actor's alarm: it is the earliest of all", async () => {
  await using driver = await open();
  const start = driver.world.clock.now();
  await driver.act("clock", "every", HOUR);
  await driver.act("clock", "every", 20 * MINUTE, { name: "other" });
  expect(driver.disk.alarms()).toMatchObject([{ at: start + 20 * MINUTE }]);
  expect(((await driver.act("clock", "list")).output as { name: string }[]).map(({ name }) => name)).toEqual([
    "other",
    "tick",
  ]);
  expect((await driver.act("clock", "delete", "other")).output).toBe(true);
  expect((await driver.act("clock", "delete", "other")).output).toBe(false);
  expect(driver.disk.alarms()).toMatchObject([{ at: start + HOUR }]);
  await driver.act("clock", "delete");
  expect(driver.disk.alarms()).toEqual([]);
});

test("setting a job again leaves its times as they were, unless it gets others", async () => {
  await using driver = await open();
  const start = driver.world.clock.now();
  await driver.act("clock", "every", HOUR);
  await driver.world.pass(40 * MINUTE);
  await driver.act("clock", "every", HOUR, { args: ["new"] });
  await driver.world.pass(20 * MINUTE);
  expect(since(start, (await state(driver)).began)).toEqual([HOUR]);
  await driver.act("clock", "every", 10 * MINUTE);
  expect((await driver.act("clock", "get")).output).toMatchObject({ nextRunAt: start + 70 * MINUTE });
  expect(await history(driver)).toHaveLength(1);
});

test("history: newest first, bounded, off at 0, and gone with its job", async () => {
  await using driver = await open();
  const start = driver.world.clock.now();
  failures = 1;
  await driver.act("clock", "every", 1_000, { maxHistory: 3 });
  await driver.world.pass(2_000);
  const all = await history(driver);
  expect(all.map(({ result, scheduledAt }) => [result, scheduledAt - start])).toEqual([
    ["ok", 2_000],
    ["error", 1_000],
  ]);
  expect(all[1]?.error?.message).toBe("tick failed");
  await driver.world.pass(3_000);
  expect(
    since(
      start,
      (await history(driver)).map((fire) => fire.scheduledAt),
    ),
  ).toEqual([5_000, 4_000, 3_000]);
  expect(await history(driver, "tick", 1)).toHaveLength(1);
  await driver.restart();
  expect(await history(driver)).toHaveLength(3);
  expect(await history(driver, "tic")).toEqual([]);
  await driver.act("clock", "every", 1_000, { maxHistory: 0 });
  expect(await history(driver)).toEqual([]);
  await driver.act("clock", "every", 1_000, { maxHistory: 3 });
  await driver.world.pass(1_000);
  await driver.act("clock", "delete");
  expect(await history(driver)).toEqual([]);
});

test("a run that is going on is in the history, and a deleted job's run ends in peace", async () => {
  await using driver = await open();
  work = new Latch();
  await driver.act("clock", "every", 1_000);
  await driver.world.pass(1_000);
  expect(await history(driver)).toMatchObject([{ result: "running" }]);
  await driver.act("clock", "delete");
  work.open();
  await driver.world.pass(10_000);
  expect(await history(driver)).toEqual([]);
  expect((await state(driver)).ended).toHaveLength(1);
});

test.each([
  ["skip", [1_000, 4_000], [1_000, 4_000], ["skipped", "skipped"]],
  ["queue", [1_000, 2_000, 4_000], [1_000, 2_000, 4_000], ["skipped"]],
  ["allow", [1_000, 2_000, 3_000, 4_000], [1_000, 2_000, 3_000, 4_000], []],
] as const)(
  "overlap %s: what becomes of times that come while a run goes on",
  async (overlap, began, ended, skipped) => {
    await using driver = await open();
    const start = driver.world.clock.now();
    work = new Latch();
    await driver.act("clock", "every", 1_000, { overlap });
    await driver.world.pass(3_500);
    work.open();
    work = undefined;
    await driver.world.pass(500);
    const found = await state(driver);
    expect(since(start, found.began)).toEqual(began);
    expect(since(start, found.ended)).toEqual(ended);
    const left = (await history(driver)).filter(({ result }) => result === "skipped");
    expect(left.map(({ result }) => result)).toEqual(skipped);
  },
);

test.each([
  ["skip", false, []],
  ["skip", true, [4 * HOUR]],
  ["one", false, [4 * HOUR]],
  ["all", false, [HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR]],
] as const)(
  "missed %s (seen in time: %s): times that passed while nothing ran",
  async (missed, inTime, began) => {
    await using driver = await open();
    const start = driver.world.clock.now();
    await driver.act("clock", "every", HOUR, { missed });
    await driver.act("clock", "nap");
    await driver.world.idle();
    driver.world.setWallClock(start + 4 * HOUR + (inTime ? 30_000 : 5 * MINUTE));
    await driver.restart();
    await driver.world.pass(10);
    expect(since(start, (await state(driver)).began)).toEqual(began);
    expect((await driver.act("clock", "get")).output).toMatchObject({ nextRunAt: start + 5 * HOUR });
    const skipped = (await history(driver)).filter(({ result }) => result === "skipped");
    expect(skipped.length).toBe(4 - began.length);
  },
);

test("missed all: the newest ones, one behind the other, up to a limit", async () => {
  await using driver = await open();
  const start = driver.world.clock.now();
  await driver.act("clock", "every", 1_000, { missed: "all", maxHistory: 1_000 });
  await driver.act("clock", "nap");
  await driver.world.idle();
  const seconds = limits.scheduleCatchUp + 50;
  driver.world.setWallClock(start + seconds * 1_000);
  await driver.restart();
  await driver.world.pass(10);
  const { began } = await state(driver);
  expect(began).toHaveLength(limits.scheduleCatchUp);
  expect(began[0]).toBe(start + 51_000);
  expect(began.at(-1)).toBe(start + seconds * 1_000);
});

test("a run that fails is tried again with growing waits, and gives way to the next one", async () => {
  await using driver = await open();
  const start = driver.world.clock.now();
  failures = 2;
  const retry = { maxAttempts: 5, initialDelayMs: 1_000, maxDelayMs: MINUTE };
  await driver.act("clock", "every", 10_000, { retry });
  await driver.world.pass(13_000);
  const { infos, ended } = await state(driver);
  expect(infos.map(({ firedAt, attempt }) => [firedAt - start, attempt])).toEqual(
    [[10_000], [11_000, 2], [13_000, 3]].map(([firedAt, attempt]) => [firedAt, attempt]),
  );
  expect(since(start, ended)).toEqual([10_000]);
  expect(await history(driver)).toMatchObject([{ result: "ok", attempts: 3 }]);
  failures = 5;
  await driver.world.pass(17_000);
  // At 20, 21 and 23 s; the fourth try would come at 27, and fails; a fifth one at 35 is behind the next time.
  expect((await state(driver)).infos.slice(3).map(({ firedAt }) => firedAt - start)).toEqual([
    20_000, 21_000, 23_000, 27_000, 30_000,
  ]);
});

test("a crash in the middle of a run: it begins again; one after its end: it doesn't", async () => {
  await using driver = await open();
  const start = driver.world.clock.now();
  work = new Latch();
  await driver.act("clock", "every", MINUTE);
  await driver.world.pass(MINUTE);
  await driver.crash();
  work = undefined;
  await driver.world.pass(1_000);
  expect(since(start, (await state(driver)).began)).toEqual([MINUTE, MINUTE]);
  expect(since(start, (await state(driver)).ended)).toEqual([MINUTE]);
  expect(await history(driver)).toMatchObject([{ result: "ok", scheduledAt: start + MINUTE }]);
  await driver.crash();
  await driver.world.pass(10_000);
  expect((await state(driver)).began).toHaveLength(2);
});

test("a run of one turn, its end and its history are stored together", async () => {
  const plain = actor({
    state: { n: 0 },
    actions: {
      plan: (c) => c.cron.every({ name: "add", interval: 1_000, action: "add" }),
      add: (c) => {
        c.state.n += 1;
      },
    },
  });
  await using driver = await Driver.start({ plain });
  await driver.act("plain", "plan");
  driver.takeBatches();
  await driver.world.pass(1_000);
  const batches = driver.takeBatches().map((rows) => rows.map(({ key }) => key.slice(0, 2)).sort());
  expect(batches).toEqual([["r:", "s:", "~h"]]);
});

test("the wall clock is set back for years: the job goes on; for seconds: it waits for its next time", async () => {
  await using driver = await open();
  const start = driver.world.clock.now();
  await driver.act("clock", "every", 30_000);
  driver.socket("/actor/clock/connect").hello();
  await driver.world.pass(30_000);
  driver.world.setWallClock(start + 29_000);
  await driver.world.pass(30_000);
  expect((await state(driver)).began).toHaveLength(1);
  await driver.world.pass(1_000);
  expect((await state(driver)).began).toHaveLength(2);
  driver.world.setWallClock(start - 1_000 * DAY);
  await driver.world.pass(2 * MINUTE);
  expect((await state(driver)).began.length).toBeGreaterThan(3);
  expect((await state(driver)).infos.every(({ firedAt, scheduledAt }) => firedAt >= scheduledAt)).toBe(true);
});

test("what can't be is refused by name", async () => {
  await using driver = await open();
  const every = async (interval: unknown, more: object = {}) =>
    (await driver.act("clock", "every", interval, more)).code;
  expect(await every(0)).toBe("schedule.invalid_interval");
  expect((await driver.act("clock", "cron", "* * *")).code).toBe("schedule.invalid_expression");
  expect((await driver.act("clock", "cron", "* * * * *", { timezone: "Mars/Olympus" })).code).toBe(
    "schedule.invalid_expression",
  );
  expect(await every(1_000, { action: "nothing" })).toBe("schedule.unknown_action");
  expect(await every(1_000, { name: "" })).toBe("schedule.invalid_name");
  expect(await every(1_000, { maxHistory: limits.scheduleHistory + 1 })).toBe("schedule.invalid_option");
  expect(await every(1_000, { maxHistory: -1 })).toBe("schedule.invalid_option");
  expect(await every(1_000, { timezone: "UTC" })).toBe("schedule.invalid_option");
  expect(await every(1_000, { overlap: "sometimes" })).toBe("schedule.invalid_option");
  expect(await every(1_000, { missed: "sometimes" })).toBe("schedule.invalid_option");
  expect(await every(1_000, { args: ["x".repeat(limits.scheduleArgsBytes)] })).toBe(
    "schedule.args_too_large",
  );
  expect((await driver.act("clock", "history", "tick", 0)).code).toBe("schedule.invalid_option");
  for (const name of ["a", "b", "c"]) expect(await every(DAY, { name })).toBeUndefined();
  expect(await every(DAY, { name: "d" })).toBe("schedule.too_many");
  expect(await every(HOUR, { name: "a" })).toBeUndefined();
});

test("runs that may go on beside each other have a limit", async () => {
  await using driver = await open();
  work = new Latch();
  await driver.act("clock", "every", 10, { overlap: "allow", maxHistory: 1_000 });
  await driver.world.pass((limits.scheduleOpenRuns + 5) * 10);
  expect((await state(driver)).began).toHaveLength(limits.scheduleOpenRuns);
  work.open();
});
