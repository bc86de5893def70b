/** Times of cron expressions against another reader of them, croner: any expression, any instant, zones whose clocks change. */
import { Cron as Croner } from "croner";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Cron } from "../../src/schedule/cron/cron.ts";

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Casablanca",
];

/** A field: all, one, a range, steps, a list. */
function field(from: number, to: number, names: readonly string[] = []): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.integer({ min: from, max: to }).map(String),
    ...(names.length === 0 ? [] : [fc.constantFrom(...names)]),
  );
  const range = fc
    .tuple(fc.integer({ min: from, max: to }), fc.integer({ min: from, max: to }))
    .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const step = fc.integer({ min: 1, max: to - from + 1 });
  const item = fc.oneof(
    value,
    range,
    fc.tuple(range, step).map(([text, by]) => `${text}/${by}`),
  );
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant("*") },
    { weight: 3, arbitrary: value },
    step.map((by) => `*/${by}`),
    fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => items.join(",")),
  );
}

const expression = fc
  .tuple(
    fc.option(field(0, 59)),
    field(0, 59),
    field(0, 23),
    fc.oneof(
      { weight: 4, arbitrary: field(1, 31) },
      fc.constantFrom("L", "LW", "15W", "1W", "31W", "1,L", "10W,20", "?"),
    ),
    field(1, 12, ["JAN", "feb", "Dec"]),
    fc.oneof(
      { weight: 4, arbitrary: field(0, 6, ["SUN", "mon", "Sat"]) },
      fc.constantFrom("7", "5#2", "FRI#L", "5L", "MON-FRI", "SAT-SUN", "1#1,3#3", "+1", "+MON-FRI", "?"),
    ),
  )
  .map((fields) => fields.filter((text) => text !== null).join(" "));

/** Mostly near changes of the clocks of 2024. */
const instant = fc.oneof(
  fc.integer({ min: 0, max: 4_102_444_800 }).map((second) => second * 1_000 + 1),
  fc
    .tuple(
      fc.constantFrom(
        "2024-03-31T01:00:00Z",
        "2024-10-27T01:00:00Z",
        "2024-03-10T07:00:00Z",
        "2024-11-03T06:00:00Z",
        "2024-04-06T15:00:00Z",
        "2024-10-05T15:30:00Z",
      ),
      fc.integer({ min: -4 * 3_600, max: 4 * 3_600 }),
    )
    .map(([text, seconds]) => Date.parse(text) + seconds * 1_000),
);

function theirs(text: string, zone: string, at: number): number | undefined | "refused" {
  try {
    return new Croner(text, { timezone: zone, paused: true }).nextRun(new Date(at))?.getTime();
  } catch {
    return "refused";
  }
}

function ours(text: string, zone: string, at: number): number | undefined | "refused" {
  try {
    return new Cron(text, zone).next(at);
  } catch {
    return "refused";
  }
}

test("the next time of any expression is croner's", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(expression, fc.constantFrom(...zones), instant, (text, zone, at) => {
      expect(ours(text, zone, at)).toBe(theirs(text, zone, at));
    }),
    { numRuns: 400 },
  );
});

test("what is refused is refused by both", () => {
  const piece = fc.constantFrom(
    "*",
    "1",
    "60",
    "-1",
    "1-",
    "5-1",
    "1/2",
    "*/0",
    "L",
    "W",
    "1W",
    "#",
    "1#6",
    "JAN",
    "x",
    "1,,2",
    "",
    "2-4/9",
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 4, maxLength: 7 }), (pieces) => {
      const text = pieces.join(" ").trim();
      if (text.split(/\s+/).length > 6) return;
      expect([text, ours(text, "UTC", 0)]).toEqual([text, theirs(text, "UTC", 0)]);
    }),
    { numRuns: 1_000 },
  );
});
