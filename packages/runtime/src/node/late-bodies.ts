/**
 * Bodies that don't come: a request that is read as a whole must be there in time. Node's own clock for that would also
 * end uploads that an actor takes as slowly as it likes, so it is off, and this looks after the others.
 */

/** A request that is being read. */
export interface ReadingBody {
  /** Monotonic time of its beginning. */
  readonly since: number;
  /** It took too long. */
  late(): void;
}

/** Looks at all bodies that are being read, now and then. */
export class LateBodies {
  readonly #reading = new Set<ReadingBody>();
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number, lookMs: number) {
    this.#timer = setInterval(() => this.#look(performance.now() - limitMs), lookMs).unref();
  }

  add(body: ReadingBody): void {
    this.#reading.add(body);
  }

  delete(body: ReadingBody): void {
    this.#reading.delete(body);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(before: number): void {
    // Oldest first: they were added in the order of their coming.
    for (const body of this.#reading) {
      if (body.since >= before) return;
      this.#reading.delete(body);
      body.late();
    }
  }
}
