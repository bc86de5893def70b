/**
 * The timers that one isolate has asked for.
 */

/** Longest delay that setTimeout takes; a timer past it fires early, and the guest sets it again. */
const LONGEST_DELAY_MS = 2_147_483_647;

/** Timers by the isolate's own numbers. */
export class IsolateTimers {
  readonly #fired: (timer: number) => void;
  readonly #timers = new Map<number, NodeJS.Timeout>();

  constructor(fired: (timer: number) => void) {
    this.#fired = fired;
  }

  get size(): number {
    return this.#timers.size;
  }

  set(timer: number, delayMs: number): void {
    this.cancel(timer);
    const delay = Math.min(Math.max(Number.isNaN(delayMs) ? 1 : delayMs, 1), LONGEST_DELAY_MS);
    this.#timers.set(
      timer,
      setTimeout(() => {
        this.#timers.delete(timer);
        this.#fired(timer);
      }, delay),
    );
  }

  cancel(timer: number): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.delete(timer);
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
