/**
 * A model's stream that a plugin's actor reads: open under the host's relay, and read chunk by chunk as the actor asks.
 *
 *   opening ──▶ open ──its end was read, it threw, closed, given up──▶ over
 *      └──refused──▶ over
 */
import type { LlmStream } from "@troupe/relay";

/** One call's. */
export class AskedStream {
  readonly #opening: Promise<LlmStream>;
  readonly #over = Promise.withResolvers<void>();
  #isGivenUp = false;

  /** `signal`: its reader gives it up, and may never read again. */
  constructor(opening: Promise<LlmStream>, signal: AbortSignal) {
    this.#opening = opening;
    opening.catch((cause) => this.#over.reject(cause));
    signal.addEventListener("abort", () => void this.#givenUp(), { once: true });
  }

  /** Settles when nobody reads on. Rejects with why it couldn't be opened, or was given up, where no read was told that. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** It is open. Rejects with why it couldn't be. */
  async opened(): Promise<null> {
    await this.#opening;
    return null;
  }

  /** The next chunk. Rejects with what ended the stream. */
  async next(): Promise<{ readonly done: boolean; readonly value?: unknown }> {
    const stream = await this.#opening;
    if (this.#isGivenUp) {
      // Why it ended is told once, and `over` has it.
      await this.over;
      return { done: true };
    }
    try {
      const { done, value } = await stream.next();
      if (done !== true) return { done: false, value };
    } catch (cause) {
      this.#over.resolve();
      throw cause;
    }
    this.#over.resolve();
    return { done: true };
  }

  /** Its reader wants no more. Never rejects. */
  async close(): Promise<null> {
    try {
      const stream = await this.#opening;
      await stream.close();
    } catch {
      // It was never open, and its opener has been told.
    }
    this.#over.resolve();
    return null;
  }

  /** Never rejects. */
  async #givenUp(): Promise<void> {
    this.#isGivenUp = true;
    try {
      const stream = await this.#opening;
      // It has ended already: what is behind its last chunk is why.
      await stream.next();
      this.#over.resolve();
    } catch (cause) {
      this.#over.reject(cause);
    }
  }
}
