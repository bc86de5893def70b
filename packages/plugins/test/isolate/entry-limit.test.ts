import { limits } from "@troupe/protocol";
import { beforeEach, expect, test, vi } from "vitest";
import { EntryLimit } from "../../src/carriers/isolate/process/entry-limit.ts";

/** An isolate whose clock the test turns, beside the process's own, and its processors. */
class World {
  readonly isolate = { wallTime: 0n, isDisposed: false };
  reached = 0;
  cpuMs = 0;
  readonly limit = new EntryLimit({
    isolate: this.isolate,
    limitMs: 100,
    cpuMs: () => this.cpuMs,
    exceeded: () => {
      this.reached += 1;
    },
  });

  /** Time that the isolate works, of which it has this share of a processor. */
  works(ms: number, share = 1): void {
    for (let n = 0; n < ms; n += 1) {
      this.isolate.wallTime += 1_000_000n;
      this.cpuMs += share;
      vi.advanceTimersByTime(1);
    }
  }

  /** An entry that ends by itself. */
  entry(ms: number): void {
    this.limit.begin();
    this.works(ms);
    this.limit.end();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  return () => void vi.useRealTimers();
});

test("an entry that has had its time is ended, once, whenever the timer was set that finds it", () => {
  const world = new World();
  world.entry(60);
  world.limit.begin();
  world.works(99);
  expect(world.reached).toBe(0);
  world.works(1);
  expect(world.reached).toBe(1);
  world.works(250);
  expect(world.reached).toBe(1);
  expect(world.limit.overdue).toBe(true);
  world.limit.end();
  expect(world.limit).toMatchObject({ reached: true, overdue: false });
});

test("entries that end by themselves are never ended, however many there are, and one timer serves them all", () => {
  const world = new World();
  for (let n = 0; n < 100; n += 1) {
    world.entry(90);
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
  }
  expect(world).toMatchObject({ reached: 0, limit: { reached: false } });
  vi.advanceTimersByTime(1_000);
  expect(vi.getTimerCount()).toBe(0);
});

test("an entry that waits for a thread isn't counted, and nothing is left of a limit that was stopped", () => {
  const world = new World();
  world.limit.begin();
  vi.advanceTimersByTime(5_000);
  expect(world.reached).toBe(0);
  world.works(50);
  world.limit.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(5_000);
  expect(world.reached).toBe(0);
});

test("what a busy machine keeps from it doesn't count: it has its time of a processor", () => {
  const world = new World();
  world.limit.begin();
  world.works(399, 0.25);
  expect(world.reached).toBe(0);
  world.works(1, 0.25);
  expect(world.reached).toBe(1);
});

test("what others have of processors is no time of its own", () => {
  const world = new World();
  world.limit.begin();
  world.works(99, 16);
  expect(world.reached).toBe(0);
  world.works(1, 16);
  expect(world.reached).toBe(1);
});

test("one that sleeps in its entry is ended all the same", () => {
  const world = new World();
  world.limit.begin();
  world.works(100 * limits.isolateIdleFactor - 1, 0);
  expect(world.reached).toBe(0);
  world.works(1, 0);
  expect(world.reached).toBe(1);
});
