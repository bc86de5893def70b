/**
 * HeardIsolate: one isolate as its runtime hears it.
 *
 * It has a budget of what may be on its way (`process/outlet.ts`). When half of that has come, the runtime gives it back in a
 * later turn; one that said more than it was asked for rests before, where others are served (`Rest`). An answer isn't a flood:
 * each frame that it was given is room for a few of its own.
 */
import { limits } from "@troupe/protocol";
import { Rest } from "../rest.ts";
import type { IsolateEar } from "./isolate-process.ts";

/** One isolate's. */
export class HeardIsolate {
  readonly ear: IsolateEar;
  readonly #more: () => void;
  /** It was given something, its source to begin with, and has said nothing since. */
  #owes = true;
  readonly #rest = new Rest();
  /** Since its budget was given back last: what it was given, what it said, and what that took of this thread. */
  #asked = 0;
  #said = 0;
  #workMs = 0;
  /** It said more than it was asked for: its frames are timed. */
  #floods = false;

  /** `more` gives it the half of its budget that is spent. */
  constructor(ear: IsolateEar, more: () => void) {
    this.ear = ear;
    this.#more = more;
  }

  /** It loads, it runs, or what it was asked for waits for something. */
  get owes(): boolean {
    return this.#owes;
  }

  /** It is given a frame. */
  asked(): void {
    this.#asked += 1;
    this.#owes = true;
    this.#rest.asked();
  }

  /** Its source is loaded. */
  loaded(): void {
    this.#owes = false;
    this.ear.loaded();
  }

  /** It said a frame. */
  frame(body: Uint8Array): void {
    this.#said += 1;
    this.#owes = false;
    if (!this.#floods) return this.ear.frame(body);
    const began = performance.now();
    this.ear.frame(body);
    this.#workMs += performance.now() - began;
  }

  /** Half of its budget is spent. */
  spent(): void {
    this.#floods = this.#said > this.#asked * limits.pluginFramesPerAsked;
    this.#rest.after(this.#floods ? this.#workMs : 0, this.#more);
    this.#asked = 0;
    this.#said = 0;
    this.#workMs = 0;
  }
}
