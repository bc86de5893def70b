import { TroupeError } from "@troupe/base";

/** The activation could not store what its start or its hooks wrote: that refuses nobody for good. */
export function passing(cause: unknown): boolean {
  return TroupeError.is(cause) && cause.group === "storage" && cause.code === "commit_failed";
}
