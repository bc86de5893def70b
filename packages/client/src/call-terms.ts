import { type CallTerms, checkIdempotencyKey, checkTimeout } from "@troupe/protocol";
import type { ActionCall } from "./types.ts";

/** What the caller of an action says beside its arguments, checked. Throws `protocol.malformed_call`. */
export function termsOf({ timeoutMs, idempotencyKey }: ActionCall): CallTerms {
  return {
    // No limit is as good as none.
    ...(timeoutMs === undefined || timeoutMs === Infinity ? {} : { timeoutMs: checkTimeout(timeoutMs) }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey: checkIdempotencyKey(idempotencyKey) }),
  };
}
