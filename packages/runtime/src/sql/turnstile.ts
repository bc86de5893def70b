/**
 * Turnstile: who waits for something that one may have at a time, in the order of asking.
 *
 * Who is let through goes on in a later microtask. Until it says `next`, or has taken what it waited for and given it back,
 * nobody else is let through, and whoever comes waits behind the others: two who see the same thing free would both take it.
 */

/** Lets one through at a time. */
export class Turnstile {
  #waiting: (() => void)[] | undefined;
  /** Somebody was let through and hasn't gone on, or it is closed. */
  #busy = false;

  /** Whoever comes has to wait. */
  get isBusy(): boolean {
    return this.#busy || this.#waiting !== undefined;
  }

  /** Settles when it is the caller's turn: it must call {@link next}, now or when it has given back what it took. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }

  /** Nobody is let through until {@link next}. */
  close(): void {
    this.#busy = true;
  }

  /** Lets the first one through, if there is one. */
  next(): void {
    const first = this.#waiting?.shift();
    if (this.#waiting?.length === 0) this.#waiting = undefined;
    this.#busy = first !== undefined;
    first?.();
  }

  /** All go on, in their order: what they waited for is gone. */
  letAllThrough(): void {
    const all = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const resolve of all) resolve();
  }
}
