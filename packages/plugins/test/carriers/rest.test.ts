/** Who floods rests while others are served, and is heard to its end all the same. */
import { limits } from "@troupe/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FrameBudget } from "../../src/carriers/frame-budget.ts";
import { Rest, restMs } from "../../src/carriers/rest.ts";

/** A clock that stands until it is told otherwise; the loop's turns are real. */
let nowMs = 1_000;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const pass = (ms: number): void => {
  nowMs += ms;
  vi.advanceTimersByTime(ms);
};

const loopTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("beside one that is served, a plugin rests, and the loop may sleep meanwhile; then it has its next turn", async () => {
  const [flooder, other] = [new Rest(), new Rest()];
  const next = vi.fn();
  other.asked();
  flooder.after(limits.pluginRestMs, next);
  pass(limits.pluginRestMs - 1);
  await loopTurn();
  expect(next).not.toHaveBeenCalled();
  pass(1);
  expect(next).toHaveBeenCalledOnce();
});

test("where nobody else was given anything since its last turn it doesn't rest, whatever it was asked for itself", async () => {
  const [flooder, other] = [new Rest(), new Rest()];
  other.asked();
  const before = vi.fn();
  flooder.after(0, before);
  await loopTurn();
  expect(before).toHaveBeenCalledOnce();
  flooder.asked();
  const next = vi.fn();
  flooder.after(5, next);
  expect(next).not.toHaveBeenCalled();
  await loopTurn();
  expect(next).toHaveBeenCalledOnce();
});

test("a rest is many times as long as the turn was, and never shorter for its timer, up to a limit", () => {
  expect(restMs(1.5 / limits.pluginRestTimes)).toBe(3);
  expect(restMs(60_000)).toBe(limits.pluginRestMs);
});

test("a flood beside a plugin that is served: between two of its turns others are served, and all of it is heard, in order", async () => {
  const frames = limits.pluginFramesPerTurn * 4;
  const heard: number[] = [];
  const turns: { readonly heard: number; readonly served: number }[] = [];
  let served = 0;
  const budget = new FrameBudget(() => hear());
  const hear = (): void => {
    budget.begin();
    let inTurn = 0;
    for (; heard.length < frames && budget.take(); inTurn += 1) {
      heard.push(heard.length);
      nowMs += 0.0005;
    }
    turns.push({ heard: inTurn, served });
  };
  const neighbour = new FrameBudget(() => expect.unreachable());
  hear();
  while (heard.length < frames) {
    neighbour.asked();
    neighbour.begin();
    expect(neighbour.take()).toBe(true);
    served += 1;
    pass(1);
    await loopTurn();
  }
  expect(heard).toEqual(Array.from({ length: frames }, (_, n) => n));
  expect(turns.map((turn) => turn.heard)).toEqual(
    Array.from({ length: 4 }, () => limits.pluginFramesPerTurn),
  );
  const restsMs = turns.slice(1).map((turn, n) => turn.served - (turns[n]?.served ?? 0));
  const rest = restMs(0.0005 * limits.pluginFramesPerTurn);
  // It is found out by its first turn.
  expect(restsMs).toEqual([1, rest, rest]);
});

test("a flood whose frames are heavy: its turn is over by the clock, however few were heard", async () => {
  const budget = new FrameBudget(() => hear());
  const turns: number[] = [];
  let waiting = limits.pluginFramesPerTurn + 3;
  const hear = (): void => {
    budget.begin();
    let heard = 0;
    for (; waiting > 0 && budget.take(); waiting -= 1) {
      heard += 1;
      nowMs += 2 * limits.pluginFloodTurnMs;
    }
    turns.push(heard);
  };
  const other = new Rest();
  hear();
  while (waiting > 0) {
    other.asked();
    pass(limits.pluginRestMs);
    await loopTurn();
  }
  // Whether the first of a turn was heavy is seen when the second comes, which is its last.
  expect(turns).toEqual([limits.pluginFramesPerTurn, 2, 1]);
});
