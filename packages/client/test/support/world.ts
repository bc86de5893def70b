/**
 * A client's outside world under a test's control: time stands still until the test moves it, and randomness is what
 * the test says.
 */
import type { LogFields, TimerHandle } from "@troupe/base";
import type { ClientEnv } from "../../src/env.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

export class World implements ClientEnv {
  #now = 1_000;
  #order = 0;
  readonly #timers = new Map<number, Timer>();
  /** What `random` gives. */
  chance = 0.5;
  readonly warnings: { readonly message: string; readonly fields: LogFields | undefined }[] = [];

  readonly clock = { monotonic: (): number => this.#now };
  readonly random = (): number => this.chance;
  readonly log = {
    warn: (message: string, fields?: LogFields): void => void this.warnings.push({ message, fields }),
  };
  /** Who waits for the network to be back. */
  readonly wakes = new Set<() => void>();
  readonly onWake = (listener: () => void): (() => void) => {
    this.wakes.add(listener);
    return () => this.wakes.delete(listener);
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
    await settled();
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
