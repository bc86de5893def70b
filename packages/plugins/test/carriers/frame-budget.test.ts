import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { FrameBudget } from "../../src/carriers/frame-budget.ts";

test("a plugin that floods is heard in as many turns as it takes, and whoever else waits has one between each two", async () => {
  // Its frames take no time: they alone are counted.
  const clock = vi.spyOn(performance, "now").mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
  let waiting = limits.pluginFramesPerTurn * 3 + 7;
  const turns: number[] = [];
  const done = Promise.withResolvers<void>();
  const budget = new FrameBudget(() => hear());
  let others = 0;
  const hear = (): void => {
    let heard = 0;
    for (; waiting > 0 && budget.take(); waiting -= 1) heard += 1;
    turns.push(heard);
    if (waiting === 0) done.resolve();
    else setImmediate(() => (others += 1));
  };
  hear();
  await done.promise;
  expect(turns).toEqual([...Array.from({ length: 3 }, () => limits.pluginFramesPerTurn), 7]);
  expect(others).toBeGreaterThanOrEqual(2);
});

test("one that says little is never kept waiting", () => {
  const budget = new FrameBudget(() => expect.unreachable());
  for (let n = 0; n < limits.pluginFramesPerTurn - 1; n += 1) expect(budget.take()).toBe(true);
});

test("what it was asked for is heard in one turn, up to a limit; who was asked nothing more has the usual turn again", () => {
  const { pluginFramesPerTurn: usual, pluginFramesPerAsked: each, pluginFramesPerTurnAsked: most } = limits;
  const heardAfter = (asked: number): number => {
    const budget = new FrameBudget(() => {});
    for (let n = 0; n < asked; n += 1) budget.asked();
    let heard = 0;
    while (budget.take()) heard += 1;
    // Too late for this turn.
    budget.asked();
    expect(budget.spent).toBe(true);
    return heard;
  };
  expect(heardAfter(0)).toBe(usual);
  expect(heardAfter(32)).toBe(usual + 32 * each);
  expect(heardAfter(10_000)).toBe(most);
});
