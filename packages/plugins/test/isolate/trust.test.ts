/** Who may be entered on the isolate process's own thread, and when. */
import { limits } from "@troupe/protocol";
import { beforeEach, expect, test, vi } from "vitest";
import { OwnThread } from "../../src/carriers/isolate/process/own-thread.ts";
import { Trust } from "../../src/carriers/isolate/process/trust.ts";

const { isolateTrustEntries, isolateShortMs, isolateLongMs, isolateLongShare, isolateTimeMs } = limits;

beforeEach(() => {
  vi.useFakeTimers();
  return () => void vi.useRealTimers();
});

/** A thread whose watch is the test's, and an isolate whose clock the test turns. */
class World {
  readonly guarded = new Set<number>();
  /** The entry that runs is ended by its watch. */
  ends = false;
  readonly thread = new OwnThread({
    guard: async () => {
      this.guarded.add(this.guarded.size + 1);
      return this.guarded.size;
    },
    forget: (whose) => void this.guarded.delete(whose),
    begin: () => {},
    end: () => !this.ends,
  });
  readonly isolate = { cpuTime: 0n, wallTime: 0n, isDisposed: false };
  readonly trust: Trust;

  constructor(limitMs: number = isolateTimeMs) {
    this.trust = new Trust({ thread: this.thread, isolate: this.isolate, limitMs });
  }

  entry(ms: number, where: "here" | "elsewhere" = "elsewhere"): void {
    this.trust.begin();
    this.isolate.cpuTime += BigInt(Math.round(ms * 1e6));
    this.trust.end(where);
  }

  async earn(): Promise<void> {
    for (let n = 0; n < isolateTrustEntries; n += 1) this.entry(isolateShortMs);
    await vi.advanceTimersByTimeAsync(0);
  }

  /** Whether one that waits alone is entered here. */
  takes(): boolean {
    this.thread.asks();
    return this.thread.takes();
  }
}

test("so many short entries earn it, and it holds once there is a guard", async () => {
  const world = new World();
  for (let n = 1; n < isolateTrustEntries; n += 1) world.entry(isolateShortMs);
  await vi.advanceTimersByTimeAsync(0);
  expect(world.trust.guarded).toBe(undefined);
  world.entry(isolateShortMs);
  expect(world.trust.guarded).toBe(undefined);
  await vi.advanceTimersByTimeAsync(0);
  expect(world.trust.guarded).toBe(1);
});

test("an entry just too long costs a few short ones, a loop costs all of them; one guard serves for ever", async () => {
  const world = new World();
  await world.earn();
  world.entry(isolateShortMs * 1.5, "here");
  expect(world.trust.guarded).toBe(undefined);
  for (let n = 0; n < 12; n += 1) world.entry(isolateShortMs);
  expect(world.trust.guarded).toBe(1);
  world.entry(isolateTimeMs, "here");
  for (let n = 1; n < isolateTrustEntries; n += 1) world.entry(isolateShortMs);
  expect(world.trust.guarded).toBe(undefined);
  world.entry(isolateShortMs);
  expect(world.trust.guarded).toBe(1);
  expect(world.guarded.size).toBe(1);
});

test("one whose limit of time is longer than the usual one never has it", async () => {
  const world = new World(isolateTimeMs + 1);
  await world.earn();
  await world.earn();
  expect(world.trust.guarded).toBe(undefined);
});

test("nobody is guarded any more who has ended, also when the guard comes later", async () => {
  const [ended, endedBefore] = [new World(), new World()];
  await ended.earn();
  ended.trust.stop();
  const earning = endedBefore.earn();
  endedBefore.trust.stop();
  await earning;
  expect([ended.guarded.size, endedBefore.guarded.size]).toEqual([0, 0]);
});

test("of those that wait in one turn, only the last one is entered here", () => {
  const { thread } = new World();
  for (let n = 0; n < 3; n += 1) thread.asks();
  expect([thread.takes(), thread.takes(), thread.takes()]).toEqual([false, false, true]);
});

test("long entries are a debt of all: nobody is entered here until a share of the time has paid it off", async () => {
  const world = new World();
  await world.earn();
  world.entry(isolateLongMs, "here");
  expect(world.takes()).toBe(true);
  world.entry(isolateTimeMs, "here");
  expect(world.takes()).toBe(false);
  vi.advanceTimersByTime(isolateTimeMs / isolateLongShare - 1_000);
  expect(world.takes()).toBe(false);
  vi.advanceTimersByTime(1_000);
  expect(world.takes()).toBe(true);
  const elsewhere = new World();
  elsewhere.entry(isolateTimeMs);
  expect(elsewhere.takes()).toBe(true);
});

test("an entry that its watch ended is told from one that failed by itself", () => {
  const world = new World();
  const fails = (): never => {
    throw new RangeError("by itself");
  };
  expect(world.thread.enter(1, world.isolate, () => {})).toBe(true);
  expect(() => world.thread.enter(1, world.isolate, fails)).toThrow("by itself");
  world.ends = true;
  expect(world.thread.enter(1, world.isolate, () => {})).toBe(false);
  expect(world.thread.enter(1, world.isolate, fails)).toBe(false);
});
