/**
 * Breather: lets the event loop have its turn between calls that need nothing from outside.
 *
 * A call from one actor to another that waits for no disk passes in microtasks alone. One that asks another in a loop would
 * keep the process to itself: no timer, no socket, nobody's time-out. So one answer in some waits for the end of the turn, and
 * those that come meanwhile behind it: their order stays. (Calls inside of each other have a limit of their own.) Where the loop
 * has its turn anyway, between answers that waited for a disk or another thread, there is none: it would part a caller from
 * those that it was answered with, whose next calls go together.
 */
import type { Env } from "@troupe/base";

/** A pause costs some microseconds: one in so many answers of a turn has it. */
const CALLS_A_BREATH = 64;
/** So many answers are enough to look whether the turn ends by itself: most turns have fewer, and pay nothing. */
const CALLS_A_LOOK = CALLS_A_BREATH / 2;

/** Counts the answers that one registry's actors get. */
export class Breather {
  readonly #env: Pick<Env, "afterTurn">;
  #calls = 0;
  #pause: Promise<void> | undefined;

  constructor(env: Pick<Env, "afterTurn">) {
    this.#env = env;
  }

  /** What the next answer waits for, if anything. */
  next(): Promise<void> | undefined {
    if (this.#pause !== undefined) return this.#pause;
    this.#calls += 1;
    if (this.#calls === CALLS_A_LOOK) this.#env.afterTurn(this.#turnEnded);
    if (this.#calls < CALLS_A_BREATH) return undefined;
    this.#calls = 0;
    this.#pause = new Promise((resolve) => {
      this.#env.afterTurn(() => {
        this.#pause = undefined;
        resolve();
      });
    });
    return this.#pause;
  }

  readonly #turnEnded = (): void => {
    this.#calls = 0;
  };
}
