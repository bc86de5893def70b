/**
 * Whether an isolate has come to the end of its memory.
 *
 * The engine ends an isolate by itself when its heap is full. Buffers it refuses with an error like any other, which the
 * actor's code may catch, and go on; when nobody did, the isolate has come to the same end.
 */
import { TroupeError } from "@troupe/base";

/** What the engine says when a buffer is refused; there is no other sign of it. `escapes.test.ts` holds it to that. */
const REFUSED_BUFFER = "Array buffer allocation failed";

/** True for an error that says that there is no memory left. Never throws. */
export function isOutOfMemory(cause: unknown): boolean {
  try {
    if (TroupeError.is(cause)) return cause.group === "value" && cause.code === "no_memory";
    return cause instanceof RangeError && cause.message === REFUSED_BUFFER;
  } catch {
    // It only looks like one of ours.
    return false;
  }
}
