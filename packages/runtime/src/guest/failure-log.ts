/**
 * What callers don't get to see of an error, and doesn't cross the line either (its stack), is in the log of where it was
 * thrown. The other end finds it there by the id that it tells the caller.
 */
import { type Env, type LogFields, TroupeError } from "@troupe/base";

/** Told of an error before it leaves, and whose it is; gives the id that it is logged under, if it is. */
export type FailureLog = (cause: unknown, about?: LogFields) => string | undefined;

/** Logs an error that callers don't get to see; gives the id that it is logged under, undefined for any other. Never throws. */
export function failureLog({ ids, log }: Pick<Env, "ids" | "log">): FailureLog {
  return (cause, about) => {
    if (isForCallers(cause)) return undefined;
    const id = ids.random();
    try {
      log.error("a call failed", { ...about, id, cause });
    } catch {
      log.error("a call failed", { ...about, id, cause: "what was thrown can't be read" });
    }
    return id;
  };
}

function isForCallers(cause: unknown): boolean {
  try {
    return TroupeError.is(cause) && cause.public;
  } catch {
    // It only looks like one of ours.
    return false;
  }
}
