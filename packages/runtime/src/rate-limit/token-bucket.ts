/** A token bucket: it holds `burst` tokens, each call takes one, and they come back steadily. */
import type { RateLimit } from "./rate-limits.ts";

/** One bucket; full at first. Times are monotonic milliseconds. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #tokens: number;
  #at: number;

  constructor({ calls, perMs, burst = calls }: RateLimit, now: number) {
    this.#burst = burst;
    this.#perMs = calls / perMs;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Until there is a token; 0 when there is one. */
  waitMs(now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#at) * this.#perMs);
    this.#at = now;
    // A hair's breadth of a token is what rounding has eaten.
    return this.#tokens > 1 - 1e-9 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs);
  }

  take(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }
}
