import { TroupeError } from "@troupe/base";

/** The activation could not store what its start or its hooks wrote: that refuses nobody for good. */
export function passing(cause: unknown): boolean {
  return TroupeError.is(cause) && cause.group === "storage" && cause.code === "commit_failed";
}

/** The activation ends and has not begun with the call: it is the next one's. What an action throws is never retryable. Never throws. */
export function leftToNext(cause: unknown): boolean {
  try {
    return TroupeError.is(cause) && cause.retryable && cause.group === "actor" && cause.code === "stopping";
  } catch {
    return false;
  }
}
