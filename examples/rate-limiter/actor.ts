/** A token bucket for each caller, as an actor: exact, shared by all servers, and not emptied by a restart. */
import { actor } from "troupe";

export interface Verdict {
  readonly allowed: boolean;
  /** Calls that may follow at once. */
  readonly remaining: number;
  /** 0, or the milliseconds until the next call is allowed. */
  readonly retryAfterMs: number;
}

const BURST = 5;
const REFILL_MS = 10_000;
const FULL_AGAIN_MS = BURST * REFILL_MS;

export const limiter = actor({
  state: { tokens: BURST, at: 0 },

  // A full bucket is nothing to remember.
  options: { sleepTimeout: FULL_AGAIN_MS, expireAfter: 60 * FULL_AGAIN_MS },

  actions: {
    take: (c): Verdict => {
      const now = Date.now();
      const tokens = Math.min(BURST, c.state.tokens + (now - c.state.at) / REFILL_MS);
      const allowed = tokens >= 1;
      c.state.at = now;
      c.state.tokens = allowed ? tokens - 1 : tokens;
      return {
        allowed,
        remaining: Math.floor(c.state.tokens),
        retryAfterMs: allowed ? 0 : Math.ceil((1 - tokens) * REFILL_MS),
      };
    },
  },
});
