import { TroupeError } from "@troupe/base";

/** The second says why, where that is known. */
const UNSTORED: ReadonlySet<string> = new Set(["commit_failed", "disk_full"]);

/** The activation could not store what its start or its hooks wrote: that refuses nobody for good. */
export function passing(cause: unknown): boolean {
  return TroupeError.is(cause) && cause.group === "storage" && UNSTORED.has(cause.code);
}

/** The activation ends and has not begun with the call: it is the next one's. What an action throws is never retryable. Never throws. */
export function leftToNext(cause: unknown): boolean {
  try {
    return TroupeError.is(cause) && cause.retryable && cause.group === "actor" && cause.code === "stopping";
  } catch {
    return false;
  }
}
