/**
 * Repeats calls that surely had no effect: `client.not_sent`, and errors of the other side that say `retryable`. A call
 * whose outcome is unknown is never repeated, unless repeating it changes nothing.
 */
import { TroupeError } from "@troupe/base";
import { type BackoffPolicy, backoffMs } from "./backoff.ts";
import type { ClientEnv } from "./env.ts";
import { isOutcomeUnknown } from "./errors.ts";

/** How long a stateless call is repeated. */
export interface RetryPolicy extends BackoffPolicy {
  /** No attempt but the first one starts later than this after the call was made. 0 means one attempt. */
  readonly deadlineMs: number;
}

/** What one call needs to be repeated. */
export interface Retrying {
  readonly env: Pick<ClientEnv, "clock" | "timers" | "random">;
  readonly policy: RetryPolicy;
  /** Ends the waits between attempts: whoever fires it has rejected the call already. */
  readonly signal: AbortSignal;
  /** True when the call may be made twice without harm. */
  readonly idempotent: boolean;
}

/** Runs `attempt` until it succeeds, fails for good, or the deadline is reached; then its last error is thrown. */
export async function retry<T>(attempt: () => Promise<T>, how: Retrying): Promise<T> {
  const start = how.env.clock.monotonic();
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (how.signal.aborted || !mayRepeat(error, how.idempotent)) throw error;
      const waitMs = Math.max(wantedMs(error), backoffMs(how.policy, failures, how.env.random));
      if (how.env.clock.monotonic() + waitMs - start > how.policy.deadlineMs) throw error;
      await pause(waitMs, how);
    }
  }
}

function mayRepeat(error: unknown, idempotent: boolean): boolean {
  return (TroupeError.is(error) && error.retryable) || (idempotent && isOutcomeUnknown(error));
}

/** The least wait, where the other side has named one: `actor.rate_limited`. */
function wantedMs(error: unknown): number {
  const metadata = TroupeError.is(error) ? error.metadata : undefined;
  if (typeof metadata !== "object" || metadata === null || !("retryAfterMs" in metadata)) return 0;
  const { retryAfterMs } = metadata;
  return typeof retryAfterMs === "number" ? retryAfterMs : 0;
}

function pause(delayMs: number, how: Retrying): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      how.env.timers.clear(timer);
      how.signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = how.env.timers.set(done, delayMs);
    how.signal.addEventListener("abort", done);
  });
}
