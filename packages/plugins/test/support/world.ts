/** What a session takes from the outside world, under a test's control: time stands still, and log lines are kept. */
import type { Logger, TimerHandle } from "@troupe/base";
import type { SessionEnv } from "../../src/session/session.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

export class World implements SessionEnv {
  #now = 0;
  #order = 0;
  readonly #timers = new Map<number, Timer>();
  readonly lines: string[] = [];
  readonly clock = { now: () => this.#now, monotonic: () => this.#now };

  readonly log: Logger = {
    debug: (message) => void this.lines.push(`debug ${message}`),
    info: (message) => void this.lines.push(`info ${message}`),
    warn: (message) => void this.lines.push(`warn ${message}`),
    error: (message) => void this.lines.push(`error ${message}`),
    child: () => this.log,
  };

  readonly timers = {
    set: (task: () => void, delayMs: number): TimerHandle => {
      this.#order += 1;
      this.#timers.set(this.#order, { at: this.#now + delayMs, order: this.#order, task });
      return this.#order;
    },
    clear: (timer: TimerHandle): void => {
      if (typeof timer === "number") this.#timers.delete(timer);
    },
  };

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves time, running each timer at its moment and all that follows from it before the next. */
  async pass(ms: number): Promise<void> {
    await settled();
    const end = this.#now + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer.order);
      this.#now = timer.at;
      timer.task();
      await settled();
    }
    this.#now = end;
  }

  /** Moves time within one turn: whatever the world outside says meanwhile isn't heard. */
  rush(ms: number): void {
    const end = this.#now + ms;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer.order);
      this.#now = timer.at;
      timer.task();
    }
    this.#now = end;
  }

  #next(end: number): Timer | undefined {
    const due = [...this.#timers.values()].filter((timer) => timer.at <= end);
    return due.sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}

/** Everything that is ready to run has run: a macrotask comes after all microtasks. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What became of a promise so far, without waiting for it. */
export interface Watched<T> {
  state: "pending" | "resolved" | "rejected";
  value?: T;
  error?: unknown;
  /** `group.code` of the error. */
  code?: string;
}

export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { state: "pending" };
  promise.then(
    (value) => Object.assign(watched, { state: "resolved", value }),
    (error: { group: string; code: string }) =>
      Object.assign(watched, { state: "rejected", error, code: `${error.group}.${error.code}` }),
  );
  return watched;
}
