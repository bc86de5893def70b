/**
 * Lookout: the process's event loop doesn't go to sleep right behind an answer, when the runtime has said that its next
 * request is likely to come that soon (`BusyPoll`): to be woken for it takes longer.
 */
import { limits } from "@troupe/protocol";

/** The event loop of one process. */
export class Lookout {
  /** Undefined: until the request that was announced has been looked at. */
  #until: number | undefined;
  #turning = false;

  /** A request came, and another one is likely to follow its answer. */
  expect(): void {
    this.#until = undefined;
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const now = performance.now();
    this.#until ??= now + limits.busyLookMs;
    this.#turning = now < this.#until;
    if (this.#turning) setImmediate(this.#turn);
  };
}
