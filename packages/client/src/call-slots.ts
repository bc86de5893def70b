/**
 * CallSlots: how many attempts of a client's calls are under way at once; the others wait, the oldest first.
 *
 * A platform's `fetch` opens a socket for each request that finds no free one: ten thousand calls at once would be ten
 * thousand sockets, which a server drops, and nobody knows what became of the calls in them. What waits here was surely
 * not sent.
 */

/** One that waits. */
interface Waiter {
  readonly go: () => void;
  /** Its caller waits no longer. */
  gone: boolean;
  next: Waiter | undefined;
}

/** The slots of one client. */
export class CallSlots {
  readonly #limit: number;
  #taken = 0;
  #waiting = 0;
  #first: Waiter | undefined;
  #last: Waiter | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a slot: now, when nothing is returned, else when the promise settles. Rejects, without one, with what `signal` fired with. */
  take(signal: AbortSignal): Promise<void> | undefined {
    if (this.#taken < this.#limit) {
      this.#taken += 1;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiter.gone = true;
        this.#waiting -= 1;
        reject(signal.reason);
      };
      const go = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const waiter: Waiter = { go, gone: false, next: undefined };
      signal.addEventListener("abort", leave, { once: true });
      this.#append(waiter);
    });
  }

  /** Gives a slot back: the oldest that waits has it now. */
  give(): void {
    const next = this.#shift();
    if (next === undefined) this.#taken -= 1;
    else next.go();
  }

  #append(waiter: Waiter): void {
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.#waiting += 1;
  }

  #shift(): Waiter | undefined {
    let waiter = this.#first;
    while (waiter?.gone === true) waiter = waiter.next;
    this.#first = waiter?.next;
    if (this.#first === undefined) this.#last = undefined;
    if (waiter !== undefined) this.#waiting -= 1;
    return waiter;
  }
}
