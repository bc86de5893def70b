/**
 * Frame queue: encoded frames on their way into a stream, many in one message.
 *
 * What is said in one turn leaves as one message, or as few. A reader that is behind makes the stream say so; frames wait
 * here then, and past a limit the queue gives up: whoever doesn't read is ended, not waited for.
 */
import { limits } from "@troupe/protocol";

/** Where batches go: a stream, as the queue sees it. */
export interface BatchSink {
  /** False: nothing more before `drain`. */
  write(batch: { readonly frames: Uint8Array[] }): boolean;
  once(event: "drain", listener: () => void): unknown;
}

/** A message is closed when it has this many bytes: larger ones win nothing. */
const BATCH_BYTES = 256 * 1024;

/** Frames in order, each whole. */
export class FrameQueue {
  readonly #sink: BatchSink;
  readonly #overrun: (what: "bytes" | "frames", limit: number) => void;
  #frames: Uint8Array[] = [];
  #bytes = 0;
  #state: "idle" | "scheduled" | "blocked" | "closed" = "idle";

  /** `overrun` is called once, when more waits than may. */
  constructor(sink: BatchSink, overrun: (what: "bytes" | "frames", limit: number) => void) {
    this.#sink = sink;
    this.#overrun = overrun;
  }

  push(frame: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#frames.push(frame);
    this.#bytes += frame.byteLength;
    if (this.#bytes > limits.pluginWaitingBytes) {
      this.#giveUp("bytes", limits.pluginWaitingBytes);
    } else if (this.#frames.length > limits.pluginWaitingFrames) {
      this.#giveUp("frames", limits.pluginWaitingFrames);
    } else if (this.#state === "idle") {
      this.#state = "scheduled";
      queueMicrotask(() => this.flush());
    }
  }

  /** Writes what waits, unless the stream is behind. */
  flush(): void {
    if (this.#state === "blocked" || this.#state === "closed") return;
    this.#state = "idle";
    while (this.#frames.length > 0) {
      if (this.#sink.write({ frames: this.#nextBatch() })) continue;
      this.#state = "blocked";
      this.#sink.once("drain", () => this.#unblock());
      return;
    }
  }

  /** Drops what waits; later frames go nowhere. */
  close(): void {
    this.#state = "closed";
    this.#frames = [];
    this.#bytes = 0;
  }

  #giveUp(what: "bytes" | "frames", limit: number): void {
    this.close();
    this.#overrun(what, limit);
  }

  #unblock(): void {
    if (this.#state !== "blocked") return;
    this.#state = "idle";
    this.flush();
  }

  #nextBatch(): Uint8Array[] {
    let count = 0;
    let bytes = 0;
    for (const frame of this.#frames) {
      if (count > 0 && bytes + frame.byteLength > BATCH_BYTES) break;
      bytes += frame.byteLength;
      count += 1;
    }
    this.#bytes -= bytes;
    return this.#frames.splice(0, count);
  }
}
