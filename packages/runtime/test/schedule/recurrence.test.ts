/** The times of cron expressions and intervals. Pure. */
import { expect, test } from "vitest";
import { NEVER, type Recurrence, Times } from "../../src/schedule/recurrence.ts";

const cron = (expression: string, timezone = "UTC"): Recurrence => ({ kind: "cron", expression, timezone });
const at = (text: string): number => Date.parse(text);
const texts = (times: readonly number[]): string[] => times.map((time) => new Date(time).toISOString());

function firstTimes(recurrence: Recurrence, from: string, count: number): string[] {
  const times = new Times(recurrence);
  const found: number[] = [];
  for (let time = at(from); found.length < count; ) {
    time = times.after(time);
    found.push(time);
  }
  return texts(found);
}

test("five fields, six, and names; always behind the time that is asked from", () => {
  expect(firstTimes(cron("30 9 * * 1-5"), "2024-03-01T09:30:00Z", 2)).toEqual([
    "2024-03-04T09:30:00.000Z",
    "2024-03-05T09:30:00.000Z",
  ]);
  expect(firstTimes(cron("*/20 * * * * *"), "2024-03-01T09:30:00.500Z", 2)).toEqual([
    "2024-03-01T09:30:20.000Z",
    "2024-03-01T09:30:40.000Z",
  ]);
  expect(firstTimes(cron("@daily"), "2024-02-28T00:00:00Z", 2)).toEqual([
    "2024-02-29T00:00:00.000Z",
    "2024-03-01T00:00:00.000Z",
  ]);
});

test("a time zone's clock leaves an hour out, and has one twice: the job runs once on each day", () => {
  expect(firstTimes(cron("30 2 * * *", "Europe/Berlin"), "2024-03-29T12:00:00Z", 3)).toEqual([
    "2024-03-30T01:30:00.000Z",
    "2024-03-31T01:00:00.000Z",
    "2024-04-01T00:30:00.000Z",
  ]);
  expect(firstTimes(cron("30 2 * * *", "Europe/Berlin"), "2024-10-26T12:00:00Z", 2)).toEqual([
    "2024-10-27T00:30:00.000Z",
    "2024-10-28T01:30:00.000Z",
  ]);
  expect(firstTimes(cron("0 9 * * *", "America/Los_Angeles"), "2024-03-09T00:00:00Z", 3)).toEqual([
    "2024-03-09T17:00:00.000Z",
    "2024-03-10T16:00:00.000Z",
    "2024-03-11T16:00:00.000Z",
  ]);
});

test("what is due: the newest ones, up to now, and the one behind", () => {
  const hourly = new Times(cron("0 * * * *"));
  const next = at("2024-03-01T01:00:00Z");
  expect(hourly.due(next, next, 10)).toEqual({ times: [next], next: at("2024-03-01T02:00:00Z") });
  const due = hourly.due(next, at("2024-03-01T05:59:59.999Z"), 3);
  expect(texts([...due.times, due.next])).toEqual([
    "2024-03-01T03:00:00.000Z",
    "2024-03-01T04:00:00.000Z",
    "2024-03-01T05:00:00.000Z",
    "2024-03-01T06:00:00.000Z",
  ]);
  const every = new Times({ kind: "every", interval: 7 });
  expect(every.after(1_000)).toBe(1_007);
  expect(every.due(1_007, 1_007, 10)).toEqual({ times: [1_007], next: 1_014 });
  expect(every.due(1_007, 1_030, 2)).toEqual({ times: [1_021, 1_028], next: 1_035 });
});

test("a year of minutes that nobody saw costs no time", () => {
  const minutely = new Times(cron("* * * * *", "Europe/Berlin"));
  const due = minutely.due(at("2023-01-01T00:00:00Z"), at("2024-01-01T00:00:30Z"), 2);
  expect(texts(due.times)).toEqual(["2023-12-31T23:59:00.000Z", "2024-01-01T00:00:00.000Z"]);
});

test("what is due is the newest there are, however they lie: bursts with long pauses between", () => {
  const burst = new Times(cron("* * * 1 1 *"));
  const first = at("2023-01-01T00:00:00Z");
  const due = burst.due(first, at("2023-12-31T00:00:00Z"), 100);
  expect(texts([due.times[0] ?? 0, due.times[99] ?? 0, due.next])).toEqual([
    "2023-01-01T23:58:20.000Z",
    "2023-01-01T23:59:59.000Z",
    "2024-01-01T00:00:00.000Z",
  ]);
  expect(due.times).toHaveLength(100);
  const few = new Times(cron("0 0 29 2 *"));
  expect(texts(few.due(at("2016-02-29T00:00:00Z"), at("2025-01-01T00:00:00Z"), 100).times)).toEqual([
    "2016-02-29T00:00:00.000Z",
    "2020-02-29T00:00:00.000Z",
    "2024-02-29T00:00:00.000Z",
  ]);
});

test("behind the end of time there is never", () => {
  expect(new Times(cron("@daily")).after(NEVER)).toBe(NEVER);
  expect(new Times({ kind: "every", interval: 1_000 }).after(NEVER)).toBe(NEVER);
});

test("what names no times is refused", () => {
  const code = (recurrence: Recurrence): string => {
    try {
      new Times(recurrence);
      return "taken";
    } catch (error) {
      return error instanceof Error && "code" in error ? String(error.code) : "another error";
    }
  };
  const bad = [
    "",
    "* * * *",
    "* * * * * * *",
    "61 * * * *",
    "x * * * *",
    "0 0 30 2 *",
    "2024-01-01T00:00:00",
  ];
  for (const expression of bad)
    expect([expression, code(cron(expression))]).toEqual([expression, "invalid_expression"]);
  expect(code(cron("* * * * *", "Mars/Olympus"))).toBe("invalid_expression");
  for (const interval of [0, -1, 1.5, Number.NaN, Infinity, 1e15]) {
    expect(code({ kind: "every", interval })).toBe("invalid_interval");
  }
});
