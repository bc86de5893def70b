/**
 * Bodies that don't come: a request that is read as a whole must be there in time. Node's own clock for that would also
 * end uploads that an actor takes as slowly as it likes, so it is off, and this looks after the others.
 */

/** A request that is being read: a link of the list of them, by itself. */
export interface ReadingBody {
  /** Monotonic time of its beginning. */
  readonly since: number;
  /** Those that came before it and behind it. */
  older: ReadingBody | undefined;
  newer: ReadingBody | undefined;
  /** It took too long. */
  late(): void;
}

/**
 * Looks at all bodies that are being read, now and then. They stand in the order of their coming.
 *
 * Not in a Set: one that lives long makes a new table, among V8's old objects, each time it becomes empty, as it does with most requests.
 */
export class LateBodies {
  readonly #timer: NodeJS.Timeout;
  #oldest: ReadingBody | undefined;
  #newest: ReadingBody | undefined;

  constructor(limitMs: number, lookMs: number) {
    this.#timer = setInterval(() => this.#look(performance.now() - limitMs), lookMs).unref();
  }

  add(body: ReadingBody): void {
    body.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = body;
    else this.#newest.newer = body;
    this.#newest = body;
  }

  /** Of one that isn't there, nothing. */
  delete(body: ReadingBody): void {
    const { older, newer } = body;
    if (older === undefined && this.#oldest !== body) return;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    body.older = undefined;
    body.newer = undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(before: number): void {
    for (let body = this.#oldest; body !== undefined && body.since < before; body = this.#oldest) {
      this.delete(body);
      body.late();
    }
  }
}
