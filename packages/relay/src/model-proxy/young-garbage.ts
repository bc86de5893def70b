/**
 * Young garbage: what a long stream leaves behind.
 *
 * V8 counts the buffers that sockets read into as memory of others, and lets some 64 MB of those that nobody uses any more pile up
 * before it collects. A stream that moves much asks for a young collection now and then: it takes about a millisecond, and finds little
 * else to do.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes that may pass before it is worth it. */
const PILE = 16 * 1024 * 1024;

let collect: (() => void) | undefined;

/** How much one stream has left behind. */
export class YoungGarbage {
  #bytes = 0;

  /** So many more have passed. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < PILE) return;
    this.#bytes = 0;
    collect ??= youngCollection();
    collect();
  }
}

/** Made when the first long stream comes: it takes a context of its own. */
function youngCollection(): () => void {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("globalThis.gc");
  return typeof gc === "function" ? () => void gc({ type: "minor" }) : () => {};
}
