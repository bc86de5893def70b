/** Moment: what is about to be over, and is waited for no longer than a moment. */

/** One of them. */
export class Moment {
  readonly #over = Promise.withResolvers<void>();
  readonly #late: NodeJS.Timeout;

  constructor(mostMs: number) {
    this.#late = setTimeout(this.#over.resolve, mostMs);
  }

  /** Settles when it is over, or was too long. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  end(): void {
    clearTimeout(this.#late);
    this.#over.resolve();
  }
}
