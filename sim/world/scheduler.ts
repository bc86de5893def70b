/**
 * Scheduler: virtual time, one macrotask after the other.
 *
 * A step picks one lane whose head is due, by the seed, runs that task, and drains the microtask queue, exactly as an
 * event loop does between two macrotasks. When no lane is due, time jumps to the next entry. A run of minutes of
 * virtual time is a loop in one real macrotask: `process._tickCallback` drains microtasks synchronously, which is what
 * makes a thousand seeds a matter of seconds. It must be called from a macrotask, never from within a microtask.
 */
import type { Lane, LaneOwner } from "./lane.ts";
import type { Random } from "./random.ts";
import type { Trace } from "./trace.ts";

/** Node's own way to end a macrotask by hand; documented as deprecated, used by its REPL. */
interface Ticking {
  _tickCallback(): void;
}

/** What a macrotask costs. More than nothing, so that a loop of macrotasks can't stop the clock. */
const STEP_MS = 0.002;

/** The virtual event loop of the whole world: all processes, links and disks. */
export class Scheduler implements LaneOwner {
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #ticking = process as NodeJS.Process & Ticking;
  readonly #lanes: Lane[] = [];
  #order = 0;
  #now = 0;
  #steps = 0;

  constructor(random: Random, trace: Trace) {
    this.#random = random;
    this.#trace = trace;
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  filled(lane: Lane): void {
    lane.listed = true;
    this.#lanes.push(lane);
  }

  nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  /** Runs one macrotask; false when there is none before `until`. */
  step(until: number): boolean {
    const lane = this.#choose(until);
    const entry = lane?.shift();
    if (lane === undefined || entry === undefined) return false;
    this.#steps += 1;
    this.#now += STEP_MS;
    this.#trace.step(lane.name, this.#now);
    entry.task?.();
    entry.task = undefined;
    this.drain();
    return true;
  }

  /** Runs what was begun outside of every lane up to its first wait: no step may come that would do it. */
  drain(): void {
    this.#ticking._tickCallback();
  }

  /** A lane that is due, any of them alike; when none is, time passes until one is. */
  #choose(until: number): Lane | undefined {
    let earliest = Infinity;
    let due = 0;
    let chosen: Lane | undefined;
    for (let index = 0; index < this.#lanes.length; index += 1) {
      const lane = this.#lanes[index];
      if (lane === undefined) continue;
      const at = lane.headAt;
      if (at === undefined) {
        this.#unlist(index, lane);
        index -= 1;
        continue;
      }
      if (at <= this.#now) {
        due += 1;
        if (due === 1 || this.#random.below(due) === 0) chosen = lane;
      }
      if (at < earliest) earliest = at;
    }
    if (chosen !== undefined) return chosen;
    if (earliest > until) {
      if (until !== Infinity) this.#now = Math.max(this.#now, until);
      return undefined;
    }
    this.#now = earliest;
    return this.#choose(until);
  }

  #unlist(index: number, lane: Lane): void {
    lane.listed = false;
    const last = this.#lanes.pop();
    if (last !== undefined && last !== lane) this.#lanes[index] = last;
  }
}
