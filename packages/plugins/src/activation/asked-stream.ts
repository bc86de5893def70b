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
  /** It is given up: rejects with why it ended by that. */
  #leaving: Promise<void> | undefined;

  /** `signal`: its reader gives it up, and may never read again. */
  constructor(opening: Promise<LlmStream>, signal: AbortSignal) {
    this.#opening = opening;
    opening.catch((cause) => this.#over.reject(cause));
    signal.addEventListener("abort", () => this.#giveUp(), { once: true });
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
    try {
      const { done, value } = await stream.next();
      if (done !== true) return { done: false, value };
      // Who asks at once gets an end, for what gave it up was told why: it isn't the end of what the model had to say.
      await this.#leaving;
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

  #giveUp(): void {
    this.#leaving = this.#left();
    this.#leaving.then(
      () => this.#over.resolve(),
      (cause) => this.#over.reject(cause),
    );
  }

  /** Rejects with why, unless it has ended already. */
  async #left(): Promise<void> {
    const stream = await this.#opening;
    await stream.next();
  }
}
