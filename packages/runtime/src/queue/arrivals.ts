/**
 * Arrivals: who waits for messages, first come first served. A message wakes one who wants it; whoever is woken takes
 * what it finds, and waits again when another was quicker.
 */

/** Why a wait is over. */
export type Wake = "arrived" | "timed out" | "given up" | "ended";

interface Waiter {
  readonly names: ReadonlySet<string> | undefined;
  readonly wake: (why: Wake) => void;
}

/** A wait for messages. */
export interface Wait {
  readonly over: Promise<Wake>;
  end(why: Wake): void;
}

/** The waits of one activation. */
export class Arrivals {
  /** In the order of their coming. */
  readonly #waiters = new Set<Waiter>();
  #ended = false;

  /** No message comes any more: the activation ends. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Waits for a message of `names`, of any without. `resumed` is called in the moment in which the wait is over. */
  wait(names: ReadonlySet<string> | undefined, resumed: () => void): Wait {
    const { promise: over, resolve } = Promise.withResolvers<Wake>();
    const waiter: Waiter = {
      names,
      wake: (why) => {
        if (!this.#waiters.delete(waiter)) return;
        resumed();
        resolve(why);
      },
    };
    this.#waiters.add(waiter);
    return { over, end: waiter.wake };
  }

  /** A message of a queue may be taken. */
  arrived(name: string): void {
    for (const waiter of this.#waiters) {
      if (waiter.names?.has(name) === false) continue;
      waiter.wake("arrived");
      return;
    }
  }

  end(): void {
    this.#ended = true;
    for (const waiter of [...this.#waiters]) waiter.wake("ended");
  }
}
