/**
 * Frames on their way to a native plugin: each a length (u32, little-endian) and its bytes.
 *
 * All that was sent since the last push goes in one. A plugin that is full takes none of it; then the frames wait here,
 * up to a limit, and are offered again, the first of them alone, since all together may be more than it ever takes.
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { pluginErrors } from "../../errors.ts";
import { nativeErrors } from "./errors.ts";

/** The bytes of frames that are pushed at once, unless one alone has more. */
export const PUSH_BYTES = 256 * 1024;

const LARGE_BYTES = 4 * 1024 * 1024;

/** What is to be pushed. */
export class Outbox {
  #waiting: Uint8Array[] = [];
  /** Those before it were pushed. */
  #first = 0;
  #bytes = 0;
  #scratch = Buffer.allocUnsafeSlow(64 * 1024);
  /** The plugin took nothing last time. */
  #full = false;

  get empty(): boolean {
    return this.#first === this.#waiting.length;
  }

  /** So much waits that it shouldn't wait for the turn's end. */
  get large(): boolean {
    return this.#bytes >= LARGE_BYTES && !this.#full;
  }

  /** Adds a frame, or says why it can't. */
  add(frame: Uint8Array): TroupeError | undefined {
    if (frame.byteLength > limits.pluginFrameBytes)
      return pluginErrors.frameTooLong(frame.byteLength, limits.pluginFrameBytes);
    if (this.#waiting.length - this.#first >= limits.pluginWaitingFrames)
      return pluginErrors.stalled("frames", limits.pluginWaitingFrames);
    if (this.#bytes + frame.byteLength > limits.pluginWaitingBytes)
      return pluginErrors.stalled("bytes", limits.pluginWaitingBytes);
    this.#waiting.push(frame);
    this.#bytes += frame.byteLength;
    return undefined;
  }

  /** Pushes what waits, until all is taken or the plugin is full. An error when it is broken. */
  push(to: (frames: Uint8Array, bytes: number) => number): TroupeError | undefined {
    while (!this.empty) {
      const { count, bytes } = this.#pack();
      const status = to(this.#scratch, bytes);
      if (status < 0) return nativeErrors.broken("push", status);
      const alone = count === 1;
      this.#full = status !== 0;
      if (!this.#full) this.#drop(count);
      else if (alone) return undefined;
    }
    this.#shrink();
    return undefined;
  }

  /** Gives `to` as many frames as go at once, for good. Nothing when nothing waits. */
  take(to: (frames: Uint8Array) => void): void {
    if (this.empty) return;
    const { count, bytes } = this.#pack();
    to(this.#scratch.subarray(0, bytes));
    this.#drop(count);
    this.#shrink();
  }

  clear(): void {
    this.#waiting = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  #pack(): { count: number; bytes: number } {
    const most = this.#full ? 1 : PUSH_BYTES;
    let count = 0;
    let bytes = 0;
    while (this.#first + count < this.#waiting.length) {
      const frame = this.#frame(count);
      if (count > 0 && bytes + 4 + frame.byteLength > most) break;
      this.#reserve(bytes, bytes + 4 + frame.byteLength);
      this.#scratch.writeUInt32LE(frame.byteLength, bytes);
      this.#scratch.set(frame, bytes + 4);
      bytes += 4 + frame.byteLength;
      count += 1;
    }
    return { count, bytes };
  }

  #shrink(): void {
    if (this.#scratch.byteLength > PUSH_BYTES * 4) this.#scratch = Buffer.allocUnsafeSlow(64 * 1024);
  }

  #frame(at: number): Uint8Array {
    const frame = this.#waiting[this.#first + at];
    if (frame === undefined) throw new RangeError("past the end of what waits");
    return frame;
  }

  #reserve(used: number, size: number): void {
    if (size <= this.#scratch.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(size, this.#scratch.byteLength * 2));
    this.#scratch.copy(larger, 0, 0, used);
    this.#scratch = larger;
  }

  #drop(count: number): void {
    for (let at = 0; at < count; at += 1) this.#bytes -= this.#frame(at).byteLength;
    this.#first += count;
    if (this.#first < this.#waiting.length && this.#first < 1_024) return;
    this.#waiting.splice(0, this.#first);
    this.#first = 0;
  }
}
