/** Unshown: what middleware behind a session can't be shown, for its length or its form: that is no failure of the middleware. */
import { TroupeError } from "@troupe/base";

const codes: ReadonlySet<string> = new Set(["frame_too_long", "cannot_show"]);

/** True of a session's word for that. */
export function isUnshown(error: unknown): error is TroupeError {
  return TroupeError.is(error) && error.group === "plugin" && codes.has(error.code);
}
