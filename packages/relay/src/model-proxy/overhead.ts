/** Overhead: how long a request was held up here, and not by its provider. */

/** The header of each answer that says it: milliseconds, from the request's head to the answer's. */
export const OVERHEAD = "X-Troupe-Overhead-Ms";

/** A stopwatch that stands while the provider is waited for. */
export class Overhead {
  readonly #began = performance.now();
  #elsewhereMs = 0;

  /** Runs what isn't ours to count. */
  async elsewhere<Result>(wait: () => Promise<Result>): Promise<Result> {
    const began = performance.now();
    try {
      return await wait();
    } finally {
      this.#elsewhereMs += performance.now() - began;
    }
  }

  /** Milliseconds so far. */
  ms(): number {
    return performance.now() - this.#began - this.#elsewhereMs;
  }
}
