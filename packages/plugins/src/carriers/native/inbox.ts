/**
 * Frames from a native plugin: pulled whole into one buffer, and taken from there one by one.
 *
 * The buffer is used again for the next pull: what a frame's reader wants to keep, it copies. A plugin that hands out
 * half a frame, or one past the limit, is broken.
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { pluginErrors } from "../../errors.ts";
import { nativeErrors } from "./errors.ts";

const USUAL_BYTES = 64 * 1024;

/** What `next` gives. */
export type Pulled = Uint8Array | TroupeError | undefined;

/** What was pulled and not yet taken. */
export class Inbox {
  #buffer = Buffer.allocUnsafeSlow(USUAL_BYTES);
  #at = 0;
  #end = 0;

  /** The next frame, valid until the next one is asked for; undefined when the plugin has none; else what is broken. */
  next(pull: (into: Uint8Array) => number): Pulled {
    if (this.#at === this.#end) {
      const error = this.#fill(pull);
      if (error !== undefined) return error;
      if (this.#end === 0) return undefined;
    }
    return this.#take();
  }

  #fill(pull: (into: Uint8Array) => number): TroupeError | undefined {
    this.#at = 0;
    this.#end = 0;
    let size = pull(this.#buffer);
    if (size < 0) {
      const needed = -size;
      if (needed <= this.#buffer.byteLength || needed > limits.pluginFrameBytes + 4)
        return nativeErrors.broken("pull", size);
      this.#buffer = Buffer.allocUnsafeSlow(needed);
      size = pull(this.#buffer);
    } else if (size === 0 && this.#buffer.byteLength > USUAL_BYTES) {
      this.#buffer = Buffer.allocUnsafeSlow(USUAL_BYTES);
    }
    if (size < 0 || size > this.#buffer.byteLength) return nativeErrors.broken("pull", size);
    this.#end = size;
    return undefined;
  }

  #take(): Uint8Array | TroupeError {
    const left = this.#end - this.#at;
    if (left < 4) return pluginErrors.violation(`${left} bytes that aren't a frame`);
    const length = this.#buffer.readUInt32LE(this.#at);
    if (length > limits.pluginFrameBytes) return pluginErrors.frameTooLong(length, limits.pluginFrameBytes);
    if (length > left - 4)
      return pluginErrors.violation(`a frame of ${length} bytes of which ${left - 4} are there`);
    const start = this.#at + 4;
    this.#at = start + length;
    // No Buffer: the `slice` of one is no copy, and readers keep what they slice.
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset + start, length);
  }
}
