/** Errors of callers that call too often. */
import { error } from "../new-error.ts";

/** Whose limit a call has reached. */
export type LimitedBy = "actor" | "caller" | "connection";

/** By code. */
export const rateErrors = {
  /** Nothing ran: the client may try again, and waits as long as this says. */
  limited: (by: LimitedBy, retryAfterMs: number) =>
    error(429, "actor", "rate_limited", `Too many calls of this ${by}: try again in ${retryAfterMs} ms`, {
      retryable: true,
      metadata: { limit: by, retryAfterMs },
    }),
};
