/** Who floods rests while others are served, and is heard to its end all the same. */
import { limits } from "@troupe/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FrameBudget } from "../../src/carriers/frame-budget.ts";
import { Rest, restMs } from "../../src/carriers/rest.ts";

/** A clock that stands until it is told otherwise; the loop's turns are real. */
let nowMs = 1_000;
beforeEach(() => void vi.spyOn(performance, "now").mockImplementation(() => nowMs));
afterEach(() => void vi.restoreAllMocks());

const loopTurns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await new Promise(setImmediate);
};

test("beside one that is served, a plugin rests many times as long as its turn took, and has its next turn then", async () => {
  const [flooder, other] = [new Rest(), new Rest()];
  const next = vi.fn();
  other.asked();
  flooder.after(0.02, next);
  await loopTurns(50);
  nowMs += 0.02 * limits.pluginRestTimes * 0.9;
  await loopTurns(2);
  expect(next).not.toHaveBeenCalled();
  nowMs += 0.02 * limits.pluginRestTimes * 0.2;
  await loopTurns(2);
  expect(next).toHaveBeenCalledOnce();
});

test("where nobody else was given anything since its last turn it doesn't rest, whatever it was asked for itself", async () => {
  const [flooder, other] = [new Rest(), new Rest()];
  other.asked();
  const before = vi.fn();
  flooder.after(0, before);
  await loopTurns(2);
  expect(before).toHaveBeenCalledOnce();
  flooder.asked();
  const next = vi.fn();
  flooder.after(5, next);
  expect(next).not.toHaveBeenCalled();
  await loopTurns(2);
  expect(next).toHaveBeenCalledOnce();
});

test("a rest has a limit, however long the turn was", () => {
  expect(restMs(0.01)).toBeCloseTo(0.01 * limits.pluginRestTimes);
  expect(restMs(60_000)).toBe(limits.pluginRestMs);
});

test("a flood beside a plugin that is served: between two of its turns others are served many times, and all of it is heard, in order", async () => {
  let waiting = limits.pluginFramesPerTurn * 4;
  const heard: number[] = [];
  const said: number[] = [];
  const done = Promise.withResolvers<void>();
  const budget = new FrameBudget(() => hear());
  const hear = (): void => {
    budget.begin();
    for (; waiting > 0 && budget.take(); waiting -= 1) {
      heard.push(waiting);
      nowMs += 0.0005;
    }
    said.push(heard.length);
    if (waiting === 0) done.resolve();
  };
  const neighbour = new FrameBudget(() => expect.unreachable());
  let served = 0;
  let over = false;
  void done.promise.then(() => {
    over = true;
  });
  hear();
  while (!over) {
    neighbour.asked();
    neighbour.begin();
    expect(neighbour.take()).toBe(true);
    served += 1;
    nowMs += 0.01;
    await loopTurns(1);
  }
  expect(heard).toEqual(
    Array.from({ length: limits.pluginFramesPerTurn * 4 }, (_, n) => limits.pluginFramesPerTurn * 4 - n),
  );
  expect(said).toHaveLength(4);
  expect(served).toBeGreaterThan(limits.pluginRestTimes);
});
