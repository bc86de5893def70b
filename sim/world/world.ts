/**
 * World: what all parts of one simulated run share: time, randomness, the trace, the counters, and the verdict.
 */
import type { Options } from "../options.ts";
import { Counters } from "./counters.ts";
import { FaultPlan } from "./faults.ts";
import { TimerLane } from "./lane.ts";
import type { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";

/** 2026-01-01, in milliseconds: where the wall clock of every run starts. */
const WALL_START = 1_767_225_600_000;

/** A promise of ours that did not hold. */
export interface Violation {
  readonly checker: string;
  readonly detail: string;
}

/** One run's world. */
export class World {
  readonly options: Options;
  readonly random: Random;
  readonly trace: Trace;
  readonly scheduler: Scheduler;
  readonly counters = new Counters();
  readonly faults: FaultPlan;
  /** Events of the outside world: power comes back, cables are cut, somebody sets the clock. */
  readonly #fate: TimerLane;
  #wallOffset = WALL_START;
  #violation: Violation | undefined;

  constructor(options: Options, random: Random, trace: Trace) {
    this.options = options;
    this.random = random;
    this.trace = trace;
    this.scheduler = new Scheduler(random.fork(), trace);
    this.faults = new FaultPlan(this, random.fork());
    this.#fate = new TimerLane("fate", this.scheduler);
  }

  get now(): number {
    return this.scheduler.now;
  }

  /** The wall clock. Jumps. */
  wallNow(): number {
    return this.#wallOffset + this.scheduler.now;
  }

  /** Somebody sets the wall clock. */
  jumpClock(byMs: number): void {
    this.#wallOffset += byMs;
    this.trace.say("world", "the wall clock is set, ms:", Math.round(byMs));
    this.counters.add(byMs < 0 ? "clock back" : "clock forward");
  }

  /** Something outside of every process happens in `delayMs`. */
  later(delayMs: number, task: () => void): void {
    this.#fate.add(this.now + delayMs, task);
  }

  /** The first violation of a run is its verdict: what follows may be its consequence. */
  fail(checker: string, detail: string): void {
    if (this.#violation !== undefined) return;
    this.#violation = { checker, detail };
    this.trace.say("checker", `VIOLATION of ${checker}:`, detail);
  }

  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** Runs until `done`, a violation, or `limitMs` of virtual time have passed; true when it is done. */
  run(done: () => boolean, limitMs: number, maxSteps: number): boolean {
    const until = this.now + limitMs;
    const lastStep = this.scheduler.steps + maxSteps;
    this.scheduler.drain();
    while (this.#violation === undefined) {
      if (done()) return true;
      if (this.scheduler.steps >= lastStep || !this.scheduler.step(until)) return done();
      this.faults.afterStep();
    }
    return false;
  }
}
