/** One-shot calls with names and tries: what is kept of those that fail, and what a crash repeats. */

import { UserError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { type AnyActorDefinition, actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

const DAY = 86_400_000;

/** What the next tries throw. */
const failures: string[] = [];

const planner = actor({
  state: { tries: [] as unknown[] },
  options: { sleepTimeout: 5_000, maxSchedules: 3 },
  actions: {
    set: (c, options: object) => c.schedule.set({ action: "work", args: ["a"], ...options }),
    work: (c, what: string, info: { firedAt: number; attempt?: number }) => {
      c.state.tries.push([what, info.firedAt, ...(info.attempt === undefined ? [] : [info.attempt])]);
      const failure = failures.shift();
      if (failure !== undefined) throw new UserError(failure, { code: "broken", metadata: { what } });
    },
    tries: (c) => c.state.tries,
    retry: (c, id: string, at?: number) => c.schedule.retry(id, at === undefined ? {} : { at }),
    cancel: (c, id: string) => c.schedule.cancel(id),
    get: (c, id: string) => c.schedule.get(id),
    list: (c) => c.schedule.list(),
  },
});

const failed = (message: string, attempts: number, at: number) => ({
  error: { group: "user", code: "broken", message, metadata: { what: "a" } },
  attempts,
  at,
});

test("a name is the id, and a second call with it takes the first one's place", async () => {
  await using driver = await Driver.start({ planner });
  const now = driver.world.clock.now();
  expect((await driver.act("planner", "set", { name: "tea", delayMs: 1_000 })).output).toBe("tea");
  await driver.act("planner", "set", { name: "tea", at: now + 9_000, args: ["b"] });
  expect((await driver.act("planner", "list")).output).toEqual([
    { id: "tea", name: "tea", action: "work", args: ["b"], runAt: now + 9_000 },
  ]);
  await driver.world.pass(20_000);
  expect((await driver.act("planner", "tries")).output).toEqual([["b", now + 9_000]]);
});

test("tries: the wait doubles up to its limit, also over sleep and crash; then the call is kept as failed", async () => {
  failures.push("one", "two", "three", "four");
  await using driver = await Driver.start({ planner });
  const start = driver.world.clock.now();
  const retry = { maxAttempts: 4, initialDelayMs: 10_000, maxDelayMs: 30_000 };
  await driver.act("planner", "set", { name: "tea", delayMs: 1_000, retry });
  await driver.world.pass(12_000);
  await driver.crash();
  await driver.world.pass(100_000);
  const times = [1_000, 11_000, 31_000, 61_000].map((ms, index) => [
    "a",
    start + ms,
    ...(index === 0 ? [] : [index + 1]),
  ]);
  expect((await driver.act("planner", "tries")).output).toEqual(times);
  expect((await driver.act("planner", "get", "tea")).output).toMatchObject({
    runAt: start + 1_000,
    failed: failed("four", 4, start + 61_000),
  });
  expect(driver.disk.alarms()).toEqual([]);
});

test("a failed call survives a restart, runs again when asked to, and is gone when it succeeds", async () => {
  failures.push("once");
  await using driver = await Driver.start({ planner });
  await driver.act("planner", "set", { name: "tea", delayMs: 1_000 });
  await driver.world.pass(1_000);
  expect((await driver.act("planner", "retry", "coffee")).output).toBe(false);
  await driver.restart();
  expect((await driver.act("planner", "retry", "tea")).output).toBe(true);
  await driver.world.pass(1);
  expect((await driver.act("planner", "list")).output).toEqual([]);
  expect(((await driver.act("planner", "tries")).output as unknown[]).length).toBe(2);
});

test("a failed call can be ended", async () => {
  failures.push("once");
  await using driver = await Driver.start({ planner });
  await driver.act("planner", "set", { name: "tea", delayMs: 1_000 });
  await driver.world.pass(DAY);
  expect((await driver.act("planner", "cancel", "tea")).output).toBe(true);
  expect((await driver.act("planner", "list")).output).toEqual([]);
});

test("failed calls don't count as schedules, and only the newest are kept", async () => {
  const failing = actor({
    actions: {
      plan: async (c, count: number) => {
        for (let index = 0; index < count; index += 1) await c.schedule.after(index, "fail", index);
      },
      fail: () => {
        throw new Error("as always");
      },
      list: (c) => c.schedule.list(),
    },
    options: { maxSchedules: limits.schedulesFailed },
  });
  await using driver = await Driver.start({ failing });
  await driver.act("failing", "plan", limits.schedulesFailed);
  await driver.world.pass(1_000);
  expect((await driver.act("failing", "plan", 3)).status).toBe(200);
  await driver.world.pass(1_000);
  const list = (await driver.act("failing", "list")).output as { args: number[] }[];
  expect(list.length).toBe(limits.schedulesFailed);
  expect(list[0]?.args).toEqual([3]);
});

test("an action that isn't there any more fails its call, which is kept until a program has it again", async () => {
  const ran: string[] = [];
  const work = () => void ran.push("work");
  const plan = (c: { schedule: { after(ms: number, action: string): Promise<string> } }) =>
    c.schedule.after(1_000, "work");
  const fails = (c: { schedule: { list(): Promise<unknown> } }) => c.schedule.list();
  const before: AnyActorDefinition = actor({ actions: { plan, work, fails } });
  await using driver = await Driver.start({ old: before });
  const id = (await driver.act("old", "plan")).output as string;
  const retry = (c: { schedule: { retry(id: string): Promise<boolean> } }, id: string) =>
    c.schedule.retry(id);
  await driver.restart({ old: actor({ actions: { fails, retry } }) });
  await driver.world.pass(1_000);
  const error = { group: "actor", code: "action_not_found" };
  expect((await driver.act("old", "fails")).output).toMatchObject([{ id, failed: { error } }]);
  await driver.restart({ old: actor({ actions: { work, retry } }) });
  await driver.act("old", "retry", id);
  await driver.world.pass(1);
  expect(ran).toEqual(["work"]);
});

test("what can't be is refused by name", async () => {
  await using driver = await Driver.start({ planner });
  const code = async (options: object) => (await driver.act("planner", "set", options)).code;
  expect(await code({})).toBe("schedule.invalid_option");
  expect(await code({ at: 1, delayMs: 1 })).toBe("schedule.invalid_option");
  expect(await code({ delayMs: "soon" })).toBe("schedule.invalid_time");
  expect(await code({ delayMs: 1, action: "nothing" })).toBe("schedule.unknown_action");
  for (const name of ["", "a\0b", "x".repeat(limits.scheduleNameLength + 1), 3]) {
    expect(await code({ delayMs: 1, name })).toBe("schedule.invalid_name");
  }
  for (const retry of [
    { maxAttempts: 0 },
    { maxAttempts: limits.scheduleAttempts + 1 },
    { maxAttempts: 1.5 },
    { initialDelayMs: -1 },
    { maxDelayMs: "long" },
  ]) {
    expect(await code({ delayMs: 1, retry })).toBe("schedule.invalid_option");
  }
  for (let index = 0; index < 3; index += 1) await driver.act("planner", "set", { delayMs: DAY });
  expect(await code({ delayMs: DAY })).toBe("schedule.too_many");
  expect((await driver.act("planner", "retry", "none", 1)).output).toBe(false);
});
