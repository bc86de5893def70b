/**
 * A model's stream of an actor whose relay is its host's, at the actor's end: the chunks as the actor reads them, and the model itself as the
 * host reads it.
 *
 *   actor next() ──READ_STREAM next──▶ host: intercepts ──Invoke next──▶ model next()
 */
import type { Scope } from "@troupe/relay";
import type { LlmChunks } from "@troupe/runtime/guest";
import type { LentQuestion } from "./relay-elsewhere.ts";

/** What a read gives, either way. */
interface Read {
  readonly done: boolean;
  readonly value?: unknown;
}

/** What the model gets beside its request. */
export interface ModelContext {
  readonly signal: AbortSignal;
  readonly scope: Scope;
}

/** The actor's own end. */
export class ChunksElsewhere implements LlmChunks {
  readonly #question: LentQuestion;
  readonly #ended: () => void;
  #over = false;
  readonly #closed = Promise.withResolvers<void>();
  /** The host ended it, and no read was on its way that could be told. */
  #failure: { readonly cause: unknown } | undefined;

  /** `ended` is called once, when it is over in whatever way. */
  constructor(question: LentQuestion, ended: () => void) {
    this.#question = question;
    this.#ended = ended;
    question.answer.then(
      () => this.#closed.resolve(),
      (cause) => {
        this.#failure = { cause };
        this.#closed.resolve();
      },
    );
  }

  /** Rejects with why it couldn't be opened. */
  async opened(): Promise<void> {
    try {
      // A refusal of the call itself comes first.
      await Promise.race([this.#question.answer, this.#question.read("opened")]);
    } catch (cause) {
      this.#end();
      throw cause;
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    if (this.#over) return DONE;
    try {
      const { done, value } = (await this.#question.read("next")) as Read;
      if (!done) return { done, value };
    } catch (cause) {
      this.#end();
      throw cause;
    }
    this.#end();
    if (this.#failure !== undefined) throw this.#failure.cause;
    return DONE;
  }

  async return(): Promise<IteratorResult<unknown>> {
    if (!this.#over) {
      this.#end();
      await this.#question.read("close");
      // Its answer comes when the model has been told.
      await this.#question.answer.catch(() => {});
    }
    return DONE;
  }

  async close(): Promise<void> {
    await this.return();
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended();
  }
}

/** What is open of a model, by the host's number. */
interface OpenModel {
  readonly abort: AbortController;
  readonly chunks: AsyncIterator<unknown>;
}

/** The model, as the host calls it. */
export class ModelHere {
  readonly #code: (request: unknown, context: ModelContext) => unknown;
  readonly #open = new Map<number, OpenModel>();

  constructor(code: (request: unknown, context: ModelContext) => unknown) {
    this.#code = code;
  }

  async run(input: unknown, context: ModelContext): Promise<unknown> {
    const { act, stream, request } = input as {
      readonly act: "open" | "next" | "close";
      readonly stream: number;
      readonly request?: unknown;
    };
    if (act === "open") return await this.#opened(stream, request, context);
    const open = this.#open.get(stream);
    if (act === "next") return open === undefined ? { done: true } : await this.#next(stream, open);
    this.#open.delete(stream);
    open?.abort.abort();
    // A generator that waits is told by its signal, and ends when it has heard: nobody waits for that.
    Promise.resolve(open?.chunks.return?.()).catch(() => {});
    return null;
  }

  async #opened(stream: number, request: unknown, { signal, scope }: ModelContext): Promise<boolean> {
    const abort = new AbortController();
    // It outlives the call that opens it.
    signal.addEventListener("abort", () => abort.abort(), { once: true });
    const chunks = await this.#code(request, { signal: abort.signal, scope });
    if (!isStream(chunks)) return false;
    this.#open.set(stream, { abort, chunks: chunks[Symbol.asyncIterator]() });
    return true;
  }

  async #next(stream: number, { chunks }: OpenModel): Promise<Read> {
    try {
      const { done, value } = await chunks.next();
      if (done !== true) return { done: false, value };
    } catch (cause) {
      this.#open.delete(stream);
      throw cause;
    }
    this.#open.delete(stream);
    return { done: true };
  }
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

const DONE: IteratorResult<unknown> = { done: true, value: undefined };
