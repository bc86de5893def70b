/**
 * DeclaredAnswer: an answer whose head says how long its body is.
 *
 * A server that has said a length can't take it back: a body of another length can only be broken off. So head and first
 * chunk are held for a moment, in which most bodies have ended: one that isn't as long as it says is a 500 then. One that
 * takes its time leaves as it is made, and is broken off when it turns out to be wrong.
 *
 *   held ──its end, a second chunk, or the moment is over──▶ left
 */
import type { Env, TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { HttpAnswerHead } from "../ports/raw.ts";

/** Who gets what isn't held any more. */
export interface DeclaredReply {
  head(head: HttpAnswerHead): void;
  chunk(bytes: Uint8Array): void;
}

/** What a body is, beside what was said of it. */
export type LengthMistake = "longer" | "shorter";

/** One answer with a length. */
export class DeclaredAnswer {
  readonly #timers: Env["timers"];
  readonly #reply: DeclaredReply;
  readonly #head: HttpAnswerHead;
  #toCome: number;
  #held: Uint8Array | "nothing" | "left" = "nothing";
  #timer: TimerHandle | undefined;

  constructor(timers: Env["timers"], reply: DeclaredReply, head: HttpAnswerHead, length: number) {
    this.#timers = timers;
    this.#reply = reply;
    this.#head = head;
    this.#toCome = length;
  }

  /** Nothing of it has left: whatever is wrong can still be said. */
  get isHeld(): boolean {
    return this.#held !== "left";
  }

  /** Says what is wrong with the body; then nothing more of it leaves. */
  chunk(bytes: Uint8Array): LengthMistake | undefined {
    this.#toCome -= bytes.byteLength;
    if (this.#toCome < 0) return "longer";
    if (this.#held === "nothing") {
      this.#held = bytes;
      const over = (): void => this.#leave();
      this.#timer = this.#timers.set(over, limits.declaredAnswerMs, { background: true });
      return undefined;
    }
    this.#leave();
    this.#reply.chunk(bytes);
    return undefined;
  }

  /** As `chunk`. Where nothing is wrong, all of it has left. */
  end(): LengthMistake | undefined {
    if (this.#toCome > 0) return "shorter";
    this.#leave();
    return undefined;
  }

  /** Nothing of what is held leaves. */
  stop(): void {
    if (this.#timer !== undefined) this.#timers.clear(this.#timer);
    this.#timer = undefined;
  }

  #leave(): void {
    const held = this.#held;
    if (held === "left") return;
    this.stop();
    this.#held = "left";
    this.#reply.head(this.#head);
    if (held !== "nothing") this.#reply.chunk(held);
  }
}
