/**
 * What a caller says of its call beside what it calls: how long it waits, and a name under which the call may be sent
 * again. In a frame they are properties, in an HTTP request headers; a ticket is in the body.
 */
import { protocolErrors } from "../../errors.ts";
import { limits } from "../../limits.ts";

/** The header with what is left of the caller's time, in whole milliseconds. */
export const TIMEOUT_HEADER = "troupe-timeout-ms";
/** The header with the call's idempotency key. */
export const IDEMPOTENCY_HEADER = "idempotency-key";

/** What a caller says of one call. */
export interface CallTerms {
  /** What is left of the caller's time, milliseconds; absent for no limit. */
  readonly timeoutMs?: number;
  /** The call is applied once under this key. */
  readonly idempotencyKey?: string;
  /**
   * With a key: a secret of the client's that all attempts of this one call have in common, so that they are one call's
   * whatever parameters each is made with. 1 to 64 of A-Z, a-z, 0-9, _ and -.
   */
  readonly ticket?: string;
}

/** The time of a call as it travels: whole milliseconds, never less than what is left. */
export function wireTimeoutMs(timeoutMs: number): number {
  return Math.min(Math.max(0, Math.ceil(timeoutMs)), LONGEST_MS);
}

/** A time that arrived. Throws `protocol.malformed_call`. */
export function checkTimeout(timeoutMs: unknown): number {
  if (typeof timeoutMs === "number" && timeoutMs >= 0 && timeoutMs <= LONGEST_MS) return timeoutMs;
  throw protocolErrors.malformedCall("timeoutMs", `a number of milliseconds from 0 to ${LONGEST_MS}`);
}

/** A key that is one. Throws `protocol.malformed_call`. */
export function checkIdempotencyKey(key: unknown): string {
  const most = limits.idempotencyKeyLength;
  if (typeof key === "string" && key.length > 0 && key.length <= most && PRINTABLE.test(key)) return key;
  throw protocolErrors.malformedCall("idempotencyKey", `1 to ${most} printable ASCII characters`);
}

/** The terms in a request's headers. Throws `protocol.malformed_call`. */
export function readCallHeaders(request: {
  header(name: string): string | undefined;
}): CallTerms | undefined {
  const timeoutMs = request.header(TIMEOUT_HEADER);
  const key = request.header(IDEMPOTENCY_HEADER);
  if (timeoutMs === undefined && key === undefined) return undefined;
  return {
    ...(timeoutMs === undefined
      ? {}
      : { timeoutMs: checkTimeout(DIGITS.test(timeoutMs) ? +timeoutMs : timeoutMs) }),
    ...(key === undefined ? {} : { idempotencyKey: checkIdempotencyKey(key) }),
  };
}

/** What a timer can wait: 2^31-1 ms. */
const LONGEST_MS = 2_147_483_647;
/** A header carries nothing else unharmed. */
const PRINTABLE = /^[\x21-\x7e]+$/;
const DIGITS = /^\d+$/;
