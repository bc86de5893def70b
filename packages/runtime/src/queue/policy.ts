/** How a queue's completable messages are delivered again. */
import { limits } from "@troupe/protocol";

/** Times are milliseconds. */
export interface DeliveryPolicy {
  /** A message that isn't completed in this time may be delivered again, while its handler goes on. */
  readonly visibilityTimeout: number;
  /** Deliveries; then it is a dead letter. */
  readonly maxAttempts: number;
  /** The wait before the second delivery; it doubles with each. */
  readonly retryDelay: number;
}

/** What holds where a queue says nothing. */
export const defaultPolicy: DeliveryPolicy = Object.freeze({
  visibilityTimeout: Infinity,
  maxAttempts: limits.queueAttempts,
  retryDelay: limits.queueRetryMs,
});

/** The wait before the next delivery, after so many. */
export function retryDelayMs(policy: DeliveryPolicy, attempts: number): number {
  const doubled = policy.retryDelay * 2 ** Math.max(0, Math.min(attempts, 32) - 1);
  return Math.min(doubled, Math.max(policy.retryDelay, limits.queueRetryLongestMs));
}
