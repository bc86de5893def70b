/** Who fails again and again waits; how long, until when, and of how many that is known. */
import { expect, test } from "vitest";
import { RepeatedFailures } from "../src/repeated-failures.ts";

const terms = { firstMs: 1_000, longestMs: 5_000, most: 2 };

test("the first failure costs no wait; then it doubles up to the longest, and the last cause is said", () => {
  let now = 0;
  const failures = new RepeatedFailures<string>({ ...terms, clock: { monotonic: () => now } });
  failures.add("a", "first");
  expect(failures.waiting("a")).toBeUndefined();
  for (const waitMs of [1_000, 2_000, 4_000, 5_000, 5_000]) {
    failures.add("a", `of ${waitMs}`);
    expect(failures.waiting("a")).toEqual({ waitMs, cause: `of ${waitMs}` });
    expect(failures.waiting("b")).toBeUndefined();
    now += waitMs - 0.5;
    expect(failures.waiting("a")?.waitMs).toBe(1);
    now += 0.5;
    expect(failures.waiting("a")).toBeUndefined();
  }
  failures.forget("a");
  failures.add("a", "a first one");
  expect(failures.waiting("a")).toBeUndefined();
});

test("a failure long behind the last wait is a first one again, where that is said, and never otherwise", () => {
  let now = 0;
  const clock = { monotonic: () => now };
  const forgetful = new RepeatedFailures<undefined>({ ...terms, clock, forgetMs: 10_000 });
  const resentful = new RepeatedFailures<undefined>({ ...terms, clock });
  for (const failures of [forgetful, resentful])
    for (let times = 0; times < 2; times += 1) failures.add("a", undefined);
  now += 1_000 + 10_000;
  for (const failures of [forgetful, resentful]) failures.add("a", undefined);
  expect([forgetful.waiting("a"), resentful.waiting("a")?.waitMs]).toEqual([undefined, 2_000]);
  // Within that time it goes on to count.
  now += 9_999;
  forgetful.add("a", undefined);
  expect(forgetful.waiting("a")?.waitMs).toBe(1_000);
});

test("the one that failed longest ago is forgotten when there are too many", () => {
  const failures = new RepeatedFailures<undefined>({ ...terms, clock: { monotonic: () => 0 } });
  for (const name of ["a", "b", "a", "c"])
    for (let times = 0; times < 2; times += 1) failures.add(name, undefined);
  expect(["a", "b", "c"].filter((name) => failures.waiting(name) !== undefined)).toEqual(["a", "c"]);
});
