import { beforeEach, expect, test, vi } from "vitest";
import { EntryLimit } from "../../src/carriers/isolate/process/entry-limit.ts";

/** An isolate whose clock the test turns, beside the process's own. */
class World {
  readonly isolate = { wallTime: 0n, isDisposed: false };
  reached = 0;
  readonly limit = new EntryLimit({
    isolate: this.isolate,
    limitMs: 100,
    exceeded: () => {
      this.reached += 1;
    },
  });

  /** Time that the isolate works. */
  works(ms: number): void {
    for (let n = 0; n < ms; n += 1) {
      this.isolate.wallTime += 1_000_000n;
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
  expect(world.limit.overdueMs).toBe(250);
  world.limit.end();
  expect(world.limit).toMatchObject({ reached: true, overdueMs: 0 });
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
