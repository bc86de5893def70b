/** When a scheduled call that failed is tried again. */
import { limits } from "@troupe/protocol";
import { scheduleErrors } from "./errors.ts";

/** How often a scheduled call is tried, and how long it waits in between: the wait doubles. */
export interface RetryPolicy {
  /** Tries, all together. Default 1: a call that fails isn't tried again. At most `limits.scheduleAttempts`. */
  readonly maxAttempts?: number;
  /** The wait behind the first failure. Default 1,000. */
  readonly initialDelayMs?: number;
  /** The longest wait. Default 60,000. */
  readonly maxDelayMs?: number;
}

/** A policy with its defaults filled in. */
export type Retry = Required<RetryPolicy>;

/** One try. */
export const noRetry: Retry = Object.freeze({
  maxAttempts: 1,
  initialDelayMs: 1_000,
  maxDelayMs: 60_000,
});

/** Throws `schedule.invalid_option`. */
export function parseRetry(policy: RetryPolicy | undefined): Retry {
  if (policy === undefined) return noRetry;
  const retry = { ...noRetry, ...policy };
  const { maxAttempts, initialDelayMs, maxDelayMs } = retry;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > limits.scheduleAttempts) {
    throw scheduleErrors.invalidOption(
      "retry.maxAttempts",
      `a whole number, 1 to ${limits.scheduleAttempts}`,
    );
  }
  if (!(initialDelayMs >= 0)) throw scheduleErrors.invalidOption("retry.initialDelayMs", "0 or more");
  if (!(maxDelayMs >= 0)) throw scheduleErrors.invalidOption("retry.maxDelayMs", "0 or more");
  return { maxAttempts, initialDelayMs, maxDelayMs };
}

/** The wait behind the failure of try number `attempt`; `undefined` when it was the last one. */
export function retryDelayMs(retry: Retry, attempt: number): number | undefined {
  if (attempt >= retry.maxAttempts) return undefined;
  return Math.min(retry.initialDelayMs * 2 ** (attempt - 1), retry.maxDelayMs);
}
