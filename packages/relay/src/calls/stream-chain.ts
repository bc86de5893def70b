/**
 * Streams through execution intercepts: the first is the outermost, and the provider is what the last one's `next` opens.
 *
 * An intercept is often a generator: its code runs while its stream is read, so that it, and its `next`, live until that
 * stream has ended. Each level is read in the model's scope, whoever reads. Ending a level ends those below it: their
 * generators' `finally` runs, and signals fire.
 */
import { relayErrors } from "../errors.ts";
import { Invocation } from "../middleware/invocation.ts";
import { invokeStream } from "../middleware/invoke.ts";
import type { Entry } from "../middleware/level.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { Scope } from "../scope/scope.ts";
import { Blame } from "./blame.ts";
import { type Call, type CallContext, InnerContext } from "./call-parts.ts";
import { nextRequest } from "./llm-request.ts";

/** The provider: answers chunks as it gets them. An async generator is one. */
export type LlmStreamFunction = (
  request: LlmRequest,
  context: CallContext,
) => AsyncIterable<unknown> | PromiseLike<AsyncIterable<unknown>>;

/** What the provider of a call in one piece gets beside its request. */
export interface LlmContext extends CallContext {
  /** The chunks of `fn` behind the stream's execution intercepts; undefined where there are none. */
  readonly throughIntercepts?: (
    request: LlmRequest,
    fn: LlmStreamFunction,
  ) => Promise<AsyncIterable<unknown>>;
}

/** A stream that is being opened. */
export interface Opening {
  readonly call: Call;
  readonly scope: Scope;
  readonly fn: LlmStreamFunction;
  readonly entries: readonly StreamEntry[];
}

/** Opens the stream that the caller gets. */
export function openChain(
  opening: Opening,
  request: LlmRequest,
  above = opening.call.root,
): Promise<StreamLevel> {
  return openLevel(opening, { index: 0, request, above });
}

/** What a provider gets that may answer a stream in the middle of a call that is made in one piece. */
export class StreamingContext extends InnerContext implements LlmContext {
  readonly throughIntercepts: NonNullable<LlmContext["throughIntercepts"]>;

  constructor({ call, scope, entries }: Omit<Opening, "fn">, invocation: Invocation) {
    super(invocation, scope);
    this.throughIntercepts = (request, fn) => openChain({ call, scope, entries, fn }, request, invocation);
  }
}

type StreamEntry = Entry<"llm_stream_execution_intercept">;

interface Place {
  readonly index: number;
  readonly request: LlmRequest;
  readonly above: Invocation;
  /** The level that reads this one; undefined: the caller does. */
  readonly reader?: StreamLevel;
}

async function openLevel(opening: Opening, { index, request, above, reader }: Place): Promise<StreamLevel> {
  const { call, scope, fn } = opening;
  const entry = opening.entries[index];
  const invocation = new Invocation(above);
  const level = new StreamLevel(opening, { invocation, entry, reader });
  try {
    if (entry === undefined) {
      const chunks = await invocation.run(() => fn(request, new InnerContext(invocation, scope)));
      return level.reads(chunks);
    }
    const next = async (rest: LlmRequest): Promise<StreamLevel> => {
      if (invocation.settled) throw relayErrors.nextRevoked(entry.name);
      return await openLevel(opening, {
        ...{ index: index + 1, request: nextRequest(rest, entry.name) },
        ...{ above: invocation, reader: level },
      });
    };
    const payload = { name: call.name, request };
    const { timers } = call.parts.env;
    const chunks = await invokeStream(entry, payload, { invocation, timers, next });
    return level.reads(chunks);
  } catch (error) {
    throw level.failed(error);
  }
}

interface LevelParts {
  readonly invocation: Invocation;
  readonly entry: StreamEntry | undefined;
  readonly reader: StreamLevel | undefined;
}

/** The chunks of one level, as the level above, or the caller's stream, reads them. */
export class StreamLevel implements AsyncIterable<unknown>, AsyncIterator<unknown> {
  readonly #opening: Opening;
  readonly #invocation: Invocation;
  readonly #blame: Blame;
  readonly #by: string;
  /** Whose chunks they are, for errors. */
  readonly #what: string;
  #chunks: AsyncIterator<unknown> | undefined;
  #over = false;
  readonly #reader: StreamLevel | undefined;

  constructor(opening: Opening, { invocation, entry, reader }: LevelParts) {
    this.#opening = opening;
    this.#invocation = invocation;
    this.#blame = new Blame(opening.call, entry);
    this.#reader = reader;
    this.#by = entry?.name ?? opening.call.name;
    this.#what = entry === undefined ? `The provider "${this.#by}"` : `The intercept "${this.#by}"`;
    invocation.hold(() => this.#leave());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Throws `relay.bad_answer` for what isn't a stream. */
  reads(chunks: unknown): this {
    if (!isAsyncIterable(chunks)) throw relayErrors.badAnswer(this.#what, "an async iterable of chunks");
    this.#chunks = this.#inScope(() => chunks[Symbol.asyncIterator]());
    // Given up while it was opened: its code learns of it now.
    if (this.#over) this.#leave();
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    const chunks = this.#chunks;
    if (this.#over || chunks === undefined) return { done: true, value: undefined };
    try {
      const pull = new Invocation(this.#invocation);
      const result = await pull.run(() => this.#inScope(() => chunks.next()));
      if (typeof result !== "object" || result === null)
        throw relayErrors.badAnswer(this.#what, "an async iterable of chunks");
      if (result.done === true) this.close();
      return result;
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** It has failed, and is over. What whoever reads it is thrown. */
  failed(error: unknown): unknown {
    const isGivenUp = this.#over;
    this.close();
    const thrown = isGivenUp ? error : this.#blame.of(error);
    this.#reader?.gave(thrown);
    return thrown;
  }

  /** A level below has thrown this. */
  gave(error: unknown): void {
    this.#blame.gave(error);
  }

  /** Ends it before its end: its signal fires, its code's `finally` runs. What that throws is nobody's. */
  return(): Promise<IteratorResult<unknown>> {
    this.#invocation.cancel(relayErrors.nextRevoked(this.#by));
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Its code has ended: `next` is revoked, and what is below it is given up. */
  close(): void {
    this.#over = true;
    this.#invocation.close(() => relayErrors.nextRevoked(this.#by));
  }

  /** Nobody reads it any more. Not waited for: code that hangs in an await would keep its reader. */
  #leave(): void {
    this.#over = true;
    const chunks = this.#chunks;
    (async () => await this.#inScope(() => chunks?.return?.()))().catch(() => {});
  }

  #inScope<R>(fn: () => R): R {
    return this.#opening.call.parts.scopes.run(this.#opening.scope, fn);
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof value[Symbol.asyncIterator] === "function"
  );
}
