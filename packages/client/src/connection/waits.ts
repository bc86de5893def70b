/**
 * Waits: how long a connection waits before each attempt.
 *
 * A link that held for a while was a good one: whatever ended it, the next attempt is soon, as the first one was, however often
 * that happens. One that was lost sooner counts as a failure, so that an actor or a gateway that throws its clients out at once
 * isn't hammered. Who had a good link waits less long than somebody who never did: there is something to come back to.
 *
 * A wait ends early when somebody asks, or when the platform says that it is worth trying: the network is back, the page
 * is looked at.
 */
import { type BackoffPolicy, backoffMs } from "../backoff.ts";
import type { ClientEnv } from "../env.ts";

/** A link that has lived so long since its welcome has held. Milliseconds. */
export const HELD_MS = 1_000;

/** How much less long somebody waits who had a link that held. */
const RETURN_SHARE = 3;

/** The waits of one connection. */
export class Waits {
  readonly #env: Pick<ClientEnv, "clock" | "timers" | "random" | "onWake">;
  readonly #policy: BackoffPolicy;
  /** Attempts since the last link that held. */
  #failures = 0;
  #maxMs: number;
  /** Monotonic time of the newest welcome; undefined once it is known how long its link has held. */
  #welcomedAt: number | undefined;

  constructor(env: Pick<ClientEnv, "clock" | "timers" | "random" | "onWake">, policy: BackoffPolicy) {
    this.#env = env;
    this.#policy = policy;
    this.#maxMs = policy.maxMs;
  }

  /** A link is welcome. */
  welcomed(): void {
    this.#welcomedAt = this.#env.clock.monotonic();
  }

  /** Begins the wait before the next attempt, which `attempt` makes. Returns what ends it without one. */
  begin(attempt: () => void): () => void {
    const { clock, timers, random, onWake } = this.#env;
    const { baseMs, maxMs } = this.#policy;
    if (this.#welcomedAt !== undefined) {
      const held = clock.monotonic() - this.#welcomedAt >= HELD_MS;
      if (held) this.#failures = 0;
      this.#maxMs = held ? maxMs / RETURN_SHARE : maxMs;
      this.#welcomedAt = undefined;
    }
    const waitMs = backoffMs({ baseMs, maxMs: this.#maxMs }, this.#failures, random);
    this.#failures += 1;
    const stop = (): void => {
      timers.clear(timer);
      unlisten?.();
    };
    const over = (): void => {
      stop();
      attempt();
    };
    const timer = timers.set(over, waitMs);
    const unlisten = onWake?.(over);
    return stop;
  }
}
