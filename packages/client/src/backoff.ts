/** How long to wait between attempts. */
export interface BackoffPolicy {
  /** The first wait is at most this; each further one at most twice the one before. */
  readonly baseMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
}

/**
 * Exponential backoff with full jitter: anything between nothing and the bound, so that clients which lost the same
 * gateway at the same moment don't come back at the same moment. `attempt` counts from 0.
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: () => number): number {
  return random() * Math.min(policy.maxMs, policy.baseMs * 2 ** attempt);
}
