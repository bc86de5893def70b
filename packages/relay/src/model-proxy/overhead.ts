/** Overhead: how long a request was held up here, and not by its provider. */

/** The header of each answer to an agent that says it: milliseconds, from the request's head to the answer's. */
export const OVERHEAD = "X-Troupe-Overhead-Ms";

/** Of a provider that is such a gateway too: its own isn't passed on. */
export const ofGateways: ReadonlySet<string> = new Set([OVERHEAD.toLowerCase()]);

/** A stopwatch that stands while the provider is waited for. */
export class Overhead {
  readonly #began = performance.now();
  #elsewhereMs = 0;
  #left: number | undefined = undefined;

  /** The provider has the request now. */
  left(): void {
    this.#left = performance.now();
  }

  /** The provider's answer is here. */
  cameBack(): void {
    if (this.#left !== undefined) this.#elsewhereMs += performance.now() - this.#left;
    this.#left = undefined;
  }

  /** Milliseconds so far. */
  ms(): number {
    // What the provider never answered, it held up itself.
    const now = this.#left ?? performance.now();
    return now - this.#began - this.#elsewhereMs;
  }
}
