/** What a test gets of `setupTest`. */
import type { Client, Registry } from "@troupe/client";
import type { CrashPoint } from "./crashing-storage.ts";

/** The part of a test's context that is used: that of vitest, or of node:test. */
export type TestScope =
  | { onTestFinished(fn: () => Promise<void>): unknown }
  | { after(fn: () => Promise<void>): unknown };

/** The clock that actors and their client see. `Date.now()` and `setTimeout` stay real. */
export interface TestClock {
  /** The wall clock, milliseconds since 1970. It starts at the real time and stands still. */
  now(): number;
  /**
   * Moves the clock, running schedules, time-outs and sleeps in their order, each with all that follows from it before the
   * next. Settles when nothing is left to do; what waits for the real world (a fetch, a real timer) isn't waited for.
   * Rejects with `test.endless_timers`, with `test.not_a_time` for what isn't 0 or more, and with `test.real_clock` where the
   * clock is the real one.
   */
  advance(ms: number): Promise<void>;
}

/** An actor by its id, or by a handle, which finds or creates it. */
export type TestActor = string | { resolve(): Promise<string> };

/** What a test works with. An id that no actor has is refused with `test.unknown_actor`. */
export interface TestSetup<R extends Registry> {
  readonly client: Client<R>;
  readonly clock: TestClock;
  /** Puts an actor to sleep now, whatever its time-out, connections included; settles when it sleeps. */
  evict(actor: TestActor): Promise<void>;
  /**
   * Ends an actor's activation as a crash of its process would: no hook saves anything, what isn't stored is lost, and
   * calls under way fail. The next call starts it from what is stored. Settles when it has happened.
   *
   * Without `at` now. With it, at the actor's next batch: `"before-commit"` loses it; `"after-commit"` stores it, and
   * nobody is told, so that callers get `client.outcome_unknown` for what did happen.
   */
  crash(actorId: string, at?: CrashPoint): Promise<void>;
  /** Rejects with `test.not_asleep`, and why, when the actor is awake once nothing is left to do. */
  expectAsleep(actorId: string): Promise<void>;
}
