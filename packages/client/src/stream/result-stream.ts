import type { ItemSource } from "./item-source.ts";

/**
 * A result that comes in items: what an action that is an async generator gives its caller. Items are made no faster than
 * they are taken; leaving the loop ends the generator. Iterate it once.
 */
export class ResultStream<T = unknown> implements AsyncIterableIterator<T, undefined> {
  readonly #source: ItemSource;
  readonly #onEnd: (() => void)[] = [];
  #failure: { readonly error: unknown } | undefined;
  #over = false;
  #errorOf: (error: unknown) => unknown = (error) => error;
  /** The next item is asked for when the one before is there. */
  #asked: Promise<unknown> = Promise.resolve();

  constructor(source: ItemSource) {
    this.#source = source;
  }

  /** Rejects with what ended it early; then it is over. */
  next(): Promise<IteratorResult<T, undefined>> {
    const next = this.#asked.then(() => this.#next());
    this.#asked = next.catch(() => {});
    return next;
  }

  /** Ends it: the actor's generator returns, and its `c.abortSignal` fires. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#end(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Ends it early; whoever takes the next item gets `error`. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#failure = { error };
    this.#end(error);
  }

  /** How an error of its source is told. */
  tellErrors(errorOf: (error: unknown) => unknown): void {
    this.#errorOf = errorOf;
  }

  /** Called once, when it is over; at once when it is already. */
  onEnd(callback: () => void): void {
    if (this.#over) callback();
    else this.#onEnd.push(callback);
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    const result = this.#over ? undefined : await this.#ask();
    if (result !== undefined && !this.#over) {
      if (result.done === true) this.#settle();
      // What an action's items are is known to its caller's types alone.
      return result as IteratorResult<T, undefined>;
    }
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    return { done: true, value: undefined };
  }

  /** Nothing when it failed, or was ended meanwhile. */
  async #ask(): Promise<IteratorResult<unknown, undefined> | undefined> {
    try {
      return await this.#source.next();
    } catch (error) {
      if (this.#over) return undefined;
      this.#failure = { error: this.#errorOf(error) };
      this.#settle();
      return undefined;
    }
  }

  #end(reason: unknown): void {
    if (this.#over) return;
    this.#settle();
    this.#source.cancel(reason);
  }

  #settle(): void {
    this.#over = true;
    for (const callback of this.#onEnd.splice(0)) callback();
  }
}
