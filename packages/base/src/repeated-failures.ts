/**
 * RepeatedFailures: who has failed, how often, and how long each waits for the next try.
 *
 *   works ── fails ──▶ once ── fails again ──▶ a wait that doubles, up to the longest ── forgotten ──▶ works
 *
 * The first failure costs no wait: it may have been bad luck, or is mended by now. Nothing of it is durable.
 */
import type { Env } from "./env.ts";

/** How long whoever failed waits. */
export interface RepeatedFailuresOptions {
  readonly clock: Pick<Env["clock"], "monotonic">;
  /** Behind the second failure; twice as long behind each one more. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** A failure so long behind the end of the wait is a first one again. Default: it never is. */
  readonly forgetMs?: number;
  /** How many are known; the one that failed longest ago is forgotten. */
  readonly most: number;
}

interface Failed<Cause> {
  readonly times: number;
  /** Monotonic. */
  readonly until: number;
  readonly cause: Cause;
}

/** Whoever waits now. */
export interface Waiting<Cause> {
  /** Whole milliseconds, 1 or more. */
  readonly waitMs: number;
  /** What it failed with last. */
  readonly cause: Cause;
}

/** Failures by name. */
export class RepeatedFailures<Cause> {
  readonly #options: RepeatedFailuresOptions;
  /** The one that failed longest ago comes first. */
  readonly #failed = new Map<string, Failed<Cause>>();

  constructor(options: RepeatedFailuresOptions) {
    this.#options = options;
  }

  add(name: string, cause: Cause): void {
    const { clock, forgetMs = Infinity, most } = this.#options;
    const now = clock.monotonic();
    const before = this.#failed.get(name);
    const times = before !== undefined && now - before.until < forgetMs ? before.times + 1 : 1;
    this.#failed.delete(name);
    this.#failed.set(name, { times, until: now + this.#waitAfter(times), cause });
    const [first] = this.#failed.keys();
    if (this.#failed.size > most && first !== undefined) this.#failed.delete(first);
  }

  /** Nothing for one that may try. */
  waiting(name: string): Waiting<Cause> | undefined {
    const failed = this.#failed.get(name);
    if (failed === undefined) return undefined;
    const waitMs = Math.ceil(failed.until - this.#options.clock.monotonic());
    return waitMs > 0 ? { waitMs, cause: failed.cause } : undefined;
  }

  forget(name: string): void {
    this.#failed.delete(name);
  }

  #waitAfter(times: number): number {
    if (times < 2) return 0;
    const { firstMs, longestMs } = this.#options;
    return Math.min(firstMs * 2 ** Math.min(times - 2, 32), longestMs);
  }
}
