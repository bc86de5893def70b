import { type CallTerms, checkIdempotencyKey, checkTimeout } from "@troupe/protocol";
import type { CallTimes } from "./connection/call-queue.ts";
import type { ActionCall } from "./types.ts";

/**
 * What the caller of an action says beside its arguments, checked. `actionTimeoutMs` is for one that names no time; `callTicket`
 * names a call with a key whose attempts may differ in their parameters. Throws `protocol.malformed_call`.
 */
export function termsOf(
  call: ActionCall,
  { actionTimeoutMs, callTicket }: Pick<CallTimes, "actionTimeoutMs" | "callTicket">,
): CallTerms {
  const { timeoutMs = actionTimeoutMs, idempotencyKey } = call;
  return {
    // No limit is as good as none.
    ...(timeoutMs === undefined || timeoutMs === Infinity ? {} : { timeoutMs: checkTimeout(timeoutMs) }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey: checkIdempotencyKey(idempotencyKey) }),
    ...(idempotencyKey === undefined || callTicket === undefined ? {} : { ticket: callTicket() }),
  };
}
