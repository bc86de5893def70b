/**
 * What callers don't get to see of an error, and doesn't cross the line either (its stack), is in the log of where it was
 * thrown. The other end finds it there by the id that it tells the caller.
 */
import { type Env, TroupeError } from "@troupe/base";

/** Logs an error that callers don't get to see; gives the id that it is logged under, undefined for any other. Never throws. */
export function failureLog({ ids, log }: Pick<Env, "ids" | "log">): (cause: unknown) => string | undefined {
  return (cause) => {
    if (isForCallers(cause)) return undefined;
    const id = ids.random();
    try {
      log.error("a call failed", { id, cause });
    } catch {
      log.error("a call failed", { id, cause: "what was thrown can't be read" });
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
