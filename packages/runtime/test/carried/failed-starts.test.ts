/** Starts that fail again and again wait; one that works, or a reload, forgets them. */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { FailedStarts } from "../../src/actor/carried/failed-starts.ts";

const actor = { namespace: "n", name: "it", key: ["a"] };
const failure = new TroupeError("dynamic", "syntax_error", "no", { metadata: { line: 2 }, public: false });

/** How long it is until the next start; nothing when it may be at once. */
function waits(starts: FailedStarts, address = actor): unknown {
  try {
    starts.check(address);
    return undefined;
  } catch (error) {
    return error;
  }
}

test("the first costs no wait, then it doubles up to the longest; meanwhile the last failure is said, and how long", () => {
  let now = 0;
  const starts = new FailedStarts({ monotonic: () => now });
  starts.failed(actor, failure);
  expect(waits(starts)).toBeUndefined();
  for (const waitMs of [1, 2, 4, 8, 16, 30, 30].map((times) => times * limits.failedStartWaitMs)) {
    expect(waitMs).toBeLessThanOrEqual(limits.failedStartLongestWaitMs);
    starts.failed(actor, failure);
    now += waitMs - 0.5;
    expect(waits(starts)).toMatchObject({
      group: "dynamic",
      code: "syntax_error",
      message: "no",
      public: false,
      metadata: { line: 2, retryAfterMs: 1 },
      cause: failure,
    });
    expect(waits(starts, { ...actor, key: ["b"] })).toBeUndefined();
    now += 0.5;
    expect(waits(starts)).toBeUndefined();
  }
  starts.forget(actor);
  starts.failed(actor, failure);
  expect(waits(starts)).toBeUndefined();
});

test("the one that failed longest ago is forgotten when there are too many", () => {
  const starts = new FailedStarts({ monotonic: () => 0 });
  const of = (n: number) => ({ ...actor, key: [`${n}`] });
  for (let n = 0; n <= limits.failedStarts; n += 1)
    for (let times = 0; times < 2; times += 1) starts.failed(of(n), failure);
  expect([waits(starts, of(0)), waits(starts, of(1)) !== undefined]).toEqual([undefined, true]);
});
