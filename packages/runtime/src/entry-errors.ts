import { TroupeError } from "@troupe/base";
import { error } from "./new-error.ts";

/** Errors of calls whose callers wait no longer. */
export const callErrors = {
  notSent: () =>
    error(
      503,
      "host",
      "not_sent",
      "The host of this actor was lost before the call was sent: nothing was done",
      {
        retryable: true,
      },
    ),
  deadlineExceeded: () => error(504, "actor", "deadline_exceeded", "The time that the caller gave is over"),
  aborted: (cause: unknown) => error(400, "actor", "aborted", "The caller waits no longer", { cause }),
};

/** What an action is told when nobody waits for it any more: why, where an actor said so, else that it is so. */
export function abortOf(reason: unknown): TroupeError {
  return TroupeError.is(reason) && reason.group === "actor" ? reason : callErrors.aborted(reason);
}

/** Errors of actors that let one in at a time. Whoever gets one was not let in. */
export const entryErrors = {
  queueFull: (limit: number) =>
    error(503, "actor", "serial_queue_full", `${limit} calls wait for their turn at this actor already`, {
      retryable: true,
      metadata: { limit },
    }),
  timedOut: (timeoutMs: number) =>
    error(503, "actor", "serial_timed_out", `The call's turn didn't come in ${timeoutMs} ms`, {
      retryable: true,
      metadata: { timeoutMs },
    }),
  deadlock: (cycle: readonly string[]) =>
    error(409, "actor", "deadlock", `These actors would wait for each other: ${cycle.join(" → ")}`, {
      metadata: { cycle },
    }),
  chainTooLong: (limit: number) =>
    error(400, "actor", "call_chain_too_long", `More than ${limit} serial actors call one another`, {
      metadata: { limit },
    }),
  notSerial: () =>
    error(500, "actor", "not_serial", 'c.exclusive needs an actor with options.concurrency "serial"'),
};

/** Errors of calls with idempotency keys. */
export const idempotencyErrors = {
  conflict: (action: string) =>
    error(
      409,
      "actor",
      "idempotency_conflict",
      `Action "${action}" was called under this idempotency key with other arguments`,
      { metadata: { action } },
    ),
  resultTooLarge: (bytes: number, limit: number) =>
    error(
      410,
      "actor",
      "idempotency_result_too_large",
      `The call was applied; its result of ${bytes} bytes was too large to be kept (limit ${limit})`,
      { metadata: { bytes, limit } },
    ),
  cutOff: (action: string) =>
    error(
      409,
      "actor",
      "idempotency_cut_off",
      `Action "${action}" was cut off under this idempotency key and isn't run again, since part of it may be stored: ` +
        "look what is there, and call it under another key if need be",
      { metadata: { action } },
    ),
  inItems: (action: string) =>
    error(
      400,
      "actor",
      "idempotency_in_items",
      `The result of action "${action}" comes in items, and can't be kept under an idempotency key`,
      { metadata: { action } },
    ),
  unsupported: (name: string) =>
    error(501, "actor", "idempotency_unsupported", `The code of actor "${name}" keeps no idempotency keys`),
  badIdentity: () =>
    error(
      500,
      "actor",
      "bad_caller_identity",
      "callerIdentity must return a text of at most 4,096 characters",
    ),
};

/** Errors of input that isn't what its schema says. */
export const validationErrors = {
  invalid: (target: string, issues: readonly object[], more: number) =>
    error(400, "actor", "validation_error", `Invalid ${target}`, {
      metadata: more === 0 ? { issues } : { issues, more },
    }),
};
