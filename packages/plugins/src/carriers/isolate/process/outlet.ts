/**
 * Outlet: one isolate's way out of its process, so that what it says is never more in a turn of the runtime than its
 * neighbours can stand.
 *
 * It has a budget of frames and of bytes. When half of it is spent, that is said in the stream, behind what spent it; the
 * runtime reads that far, ends its turn, and gives the half back (`more`). So an isolate that says little never waits, and
 * one that floods has at most one budget on its way: the rest waits here, and the isolate isn't entered meanwhile. A
 * frame that is longer than what is left goes when anything is left.
 */
import { limits } from "@troupe/protocol";

/** What an outlet is made of. */
export interface OutletParts {
  /** A frame leaves. */
  readonly send: (frame: Uint8Array) => void;
  /** Half of the budget is spent: `more` gives it back. */
  readonly spent: () => void;
}

/** One isolate's. */
export class Outlet {
  readonly #parts: OutletParts;
  /** Frames that wait, from `#next` on. */
  #waiting: Uint8Array[] = [];
  #next = 0;
  #frames: number = limits.isolateFramesPerTurn;
  #bytes: number = limits.isolateBytesPerTurn;
  /** What the next `more` gives back; undefined: none is asked for. */
  #owed: { readonly frames: number; readonly bytes: number } | undefined;
  #empty: PromiseWithResolvers<void> | undefined;
  #ended = false;

  constructor(parts: OutletParts) {
    this.#parts = parts;
  }

  /** Takes a frame; its bytes mustn't change any more. */
  say(frame: Uint8Array): void {
    if (this.#ended) return;
    if (this.#waiting.length === 0 && this.#open) this.#leave(frame);
    else this.#waiting.push(frame);
  }

  /** Settles when nothing waits any more; undefined: nothing does. */
  get blocked(): Promise<void> | undefined {
    if (this.#waiting.length === 0) return undefined;
    this.#empty ??= Promise.withResolvers<void>();
    return this.#empty.promise;
  }

  /** The runtime has ended the turn in which it read what was said. */
  more(): void {
    if (this.#owed === undefined || this.#ended) return;
    this.#frames += this.#owed.frames;
    this.#bytes += this.#owed.bytes;
    this.#owed = undefined;
    this.#ask();
    for (; this.#open; this.#next += 1) {
      const frame = this.#waiting[this.#next];
      if (frame === undefined) return this.#settle();
      this.#leave(frame);
    }
  }

  /** The isolate says nothing more. `left` is called when all that it said has left. */
  finish(left: () => void): void {
    if (this.blocked === undefined) left();
    else void this.blocked.then(() => void (this.#ended || left()));
  }

  /** What waits is dropped. */
  close(): void {
    this.#ended = true;
    this.#settle();
  }

  get #open(): boolean {
    return this.#frames > 0 && this.#bytes > 0;
  }

  #leave(frame: Uint8Array): void {
    this.#parts.send(frame);
    this.#frames -= 1;
    this.#bytes -= frame.byteLength;
    this.#ask();
  }

  /** Asks for what is spent, once it is half of all. What is spent after that is asked for when that has come. */
  #ask(): void {
    if (this.#owed !== undefined) return;
    const frames = limits.isolateFramesPerTurn - this.#frames;
    const bytes = limits.isolateBytesPerTurn - this.#bytes;
    if (frames * 2 < limits.isolateFramesPerTurn && bytes * 2 < limits.isolateBytesPerTurn) return;
    this.#owed = { frames, bytes };
    this.#parts.spent();
  }

  /** Nothing waits any more. */
  #settle(): void {
    this.#waiting = [];
    this.#next = 0;
    this.#empty?.resolve();
    this.#empty = undefined;
  }
}
