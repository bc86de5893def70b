/** An isolate as its runtime hears it: what it was asked for is no flood, and who floods rests while others are served. */
import { limits } from "@troupe/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HeardIsolate } from "../../src/carriers/isolate/heard-isolate.ts";

let nowMs = 1_000;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const HALF = limits.isolateFramesPerTurn / 2;
const FRAME = new Uint8Array(1);

/** One that takes a little of the runtime's time with each frame. */
function isolate(): { readonly heard: HeardIsolate; readonly frame: () => void; readonly more: () => void } {
  const frame = vi.fn(() => {
    nowMs += 0.001;
  });
  const more = vi.fn();
  return {
    heard: new HeardIsolate({ actor: { actor: "it" }, loaded: () => {}, frame, ended: () => {} }, more),
    frame,
    more,
  };
}

function says(one: HeardIsolate, frames: number): void {
  for (let n = 0; n < frames; n += 1) one.frame(FRAME);
  one.spent();
}

const loopTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("one that answers as many calls as it was given has its budget back in the next turn, whoever else is served", async () => {
  const [busy, other] = [isolate(), isolate()];
  for (let round = 1; round <= 3; round += 1) {
    other.heard.asked();
    for (let call = 0; call < HALF; call += 1) busy.heard.asked();
    says(busy.heard, HALF);
    expect(busy.more).toHaveBeenCalledTimes(round - 1);
    await loopTurn();
    expect(busy.more).toHaveBeenCalledTimes(round);
  }
});

test("one that floods beside another that is served rests before it has its budget back, and every frame is heard", async () => {
  const [flooder, other] = [isolate(), isolate()];
  flooder.heard.asked();
  says(flooder.heard, HALF);
  await loopTurn();
  // It is found out by the first half.
  expect(flooder.more).toHaveBeenCalledOnce();
  other.heard.asked();
  says(flooder.heard, HALF);
  await loopTurn();
  expect(flooder.more).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(limits.pluginRestMs);
  expect(flooder.more).toHaveBeenCalledTimes(2);
  expect(flooder.frame).toHaveBeenCalledTimes(2 * HALF);
});

test("it doesn't rest where nobody else is served, nor when it behaves again", async () => {
  const [flooder, other] = [isolate(), isolate()];
  for (let half = 1; half <= 3; half += 1) {
    says(flooder.heard, HALF);
    await loopTurn();
    expect(flooder.more).toHaveBeenCalledTimes(half);
  }
  other.heard.asked();
  for (let call = 0; call < HALF; call += 1) flooder.heard.asked();
  says(flooder.heard, HALF);
  await loopTurn();
  expect(flooder.more).toHaveBeenCalledTimes(4);
});
