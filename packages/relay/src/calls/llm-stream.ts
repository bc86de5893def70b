/**
 * LlmStream: the chunks of a managed call of a model, as its caller reads them.
 *
 * Nothing is read ahead: a chunk is asked of the provider when the caller asks. The call goes on until its end was read,
 * something threw, or the caller stopped (`break`, `return`, `close`, its signal): then the finalizer runs, once, and the
 * end event is emitted, once. A stream that ends without being whole is an error (`relay.stream_truncated`), also when the
 * provider's own iterator ended as if all was well: the codec, or `isLast`, knows. A caller who stops early has an end
 * event with `relay.stream_closed`, unless the whole response was there already.
 *
 *   open ──last chunk, whole──▶ over (well)
 *     └──threw, truncated, closed, aborted──▶ over (error)
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../errors.ts";
import type { CategoryProfile } from "../events/event.ts";
import { Invocation } from "../middleware/invocation.ts";
import type { CallParts } from "./call-parts.ts";
import type { StreamCollector } from "./llm-codec.ts";
import type { LlmScope } from "./llm-scope.ts";
import type { StreamLevel } from "./stream-chain.ts";

/** What is done with the chunks beside giving them to the caller. */
export interface StreamSinks {
  /** Gets each chunk before the caller does. */
  readonly collector?: (chunk: unknown) => void;
  /** Asked once, when the stream is over in whatever way: the response that the end event tells of. Answers within 30 s. */
  readonly finalizer?: () => unknown;
  /** True for the chunk behind which a stream is whole. Default: what the codec says; without one, any end will do. */
  readonly isLast?: (chunk: unknown) => boolean;
}

/** What a stream is made of. */
export interface StreamParts extends StreamSinks {
  readonly parts: CallParts;
  readonly name: string;
  readonly model: LlmScope;
  readonly level: StreamLevel;
  readonly root: Invocation;
  readonly gathered: StreamCollector | undefined;
  /** Called when it is over. */
  readonly ended: () => void;
}

/** Why it ended other than well. What was thrown may be nothing at all, and is a failure all the same. */
interface Failure {
  readonly error: unknown;
}

/** The chunks of one call. Read it with `for await`, or `next`. */
export class LlmStream implements AsyncIterableIterator<unknown>, AsyncDisposable {
  readonly #stream: StreamParts;
  readonly #began: number;
  #chunks = 0;
  #firstAfterMs = 0;
  #whole = false;
  /** The provider has said in the stream that it gave up: its caller has read it. */
  #failure: string | undefined;
  /** There from the moment when it is over; settles behind the end event. */
  #ending: Promise<void> | undefined;
  readonly #closed = Promise.withResolvers<void>();
  /** Settles when it is over, in whatever way. Never rejects. */
  readonly closed = this.#closed.promise;
  /** It failed while nobody read: whoever reads next is told. */
  #untold: Failure | undefined = undefined;
  #reading = false;
  /** Reads that wait for the one that goes on. */
  readonly #readers: (() => void)[] = [];

  constructor(stream: StreamParts) {
    this.#stream = stream;
    this.#began = stream.parts.env.clock.monotonic();
    stream.root.hold((error) => void this.#end({ error }));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next chunk. Throws what the provider throws, `relay.stream_truncated`, `relay.collector_failed`, `relay.aborted`. */
  async next(): Promise<IteratorResult<unknown>> {
    if (this.#reading) await new Promise<void>((turn) => this.#readers.push(turn));
    this.#reading = true;
    try {
      if (this.#ending === undefined) {
        const result = await this.#stream.level.next();
        if (this.#ending === undefined && result.done !== true) {
          this.#took(result.value);
          return result;
        }
      }
      await this.#end(undefined);
    } catch (error) {
      await this.#end({ error });
    } finally {
      const reader = this.#readers.shift();
      if (reader === undefined) this.#reading = false;
      else reader();
    }
    return this.#last();
  }

  /** The caller wants no more: the provider is told, and the call has ended when this settles. */
  async return(): Promise<IteratorResult<unknown>> {
    await this.#end({ error: relayErrors.streamClosed(this.#stream.name) });
    this.#untold = undefined;
    return { done: true, value: undefined };
  }

  /** As `return`. */
  async close(): Promise<void> {
    await this.return();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What is behind the last chunk: an error that nobody has been told of, or nothing. */
  #last(): IteratorResult<unknown> {
    const failure = this.#untold;
    this.#untold = undefined;
    if (failure !== undefined) throw failure.error;
    return { done: true, value: undefined };
  }

  #took(chunk: unknown): void {
    const { parts, model, gathered, collector, isLast } = this.#stream;
    const { recorder, scopes, env } = parts;
    const { scope, chains } = model;
    if (this.#chunks === 0) this.#firstAfterMs = env.clock.monotonic() - this.#began;
    const chunk_index = this.#chunks;
    this.#chunks += 1;
    try {
      if (recorder.heard(scope)) {
        const data = { chunk_index, ...gathered?.describe?.(chunk) };
        recorder.mark(scope, { name: "llm.chunk", data }, { chains });
      }
      gathered?.add(chunk);
      if (collector !== undefined) scopes.run(scope, () => collector(chunk));
      if (isLast?.(chunk) === true) this.#whole = true;
    } catch (cause) {
      throw relayErrors.collectorFailed("collector", cause);
    }
  }

  /** Ends it, once. Never rejects. */
  #end(failure: Failure | undefined): Promise<void> {
    this.#ending ??= this.#endNow(failure);
    return this.#ending;
  }

  async #endNow(given: Failure | undefined): Promise<void> {
    const { model, level, root, name } = this.#stream;
    void level.return();
    let failure = given;
    let output: unknown;
    try {
      output = await this.#finished();
      if (!this.#whole && this.#knowsItsEnd) failure ??= { error: relayErrors.streamTruncated(name) };
    } catch (cause) {
      failure ??= { error: root.isOver(cause) ? cause : relayErrors.collectorFailed("finalizer", cause) };
    }
    root.close(() => relayErrors.streamClosed(name));
    if (this.#whole && isOf(failure?.error, "stream_closed")) failure = undefined;
    this.#untold = failure;
    // It says why the stream ended early.
    const unexplained = failure === undefined || isOf(failure.error, "stream_truncated");
    if (this.#failure !== undefined && unexplained)
      failure = { error: relayErrors.providerFailed(name, this.#failure) };
    const profile: CategoryProfile =
      this.#chunks === 0 ? {} : { time_to_first_chunk: this.#firstAfterMs / 1_000 };
    if (failure === undefined) model.succeeded(output, profile);
    else model.failed(failure.error, { output, profile });
    model.end();
    this.#stream.ended();
    this.#closed.resolve();
  }

  get #knowsItsEnd(): boolean {
    return this.#stream.isLast !== undefined || this.#stream.gathered !== undefined;
  }

  /** The response, as far as it came. */
  async #finished(): Promise<unknown> {
    const { gathered, finalizer } = this.#stream;
    let response: unknown;
    try {
      const end = gathered?.end();
      response = end?.response;
      if (end?.complete === true) this.#whole = true;
      this.#failure = end?.failure;
    } finally {
      // Whatever the codec makes of it: who gathers by hand is asked, once.
      if (finalizer !== undefined) response = await this.#summedUp(finalizer);
    }
    return response;
  }

  /** One that hangs keeps nobody waiting for good. What had given the stream up before doesn't keep it from being asked. */
  #summedUp(finalizer: () => unknown): unknown {
    const { root, parts, model, name } = this.#stream;
    const { timers } = parts.env;
    const ms = limits.relayFinalizerMs;
    const invocation = new Invocation(root.settled ? undefined : root);
    const error = () => relayErrors.deadlineExceeded("finalizer of", name, ms);
    return invocation.run(() => parts.scopes.run(model.scope, finalizer), { timers, ms, error });
  }
}

function isOf(error: unknown, code: string): boolean {
  return TroupeError.is(error) && error.group === "relay" && error.code === code;
}
