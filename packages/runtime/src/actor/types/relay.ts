/** What of the relay an actor's code sees. */
import type {
  CallContext,
  LlmCallOptions,
  LlmFunction,
  LlmRequest,
  LlmStreamFunction,
  LlmStreamOptions,
  Measurement,
  Metadata,
  PendingMark,
  Scope,
  ToolCallOptions,
} from "@troupe/relay";

/** A tool: gets its arguments behind all intercepts. */
export type ToolCode<A, R> = (args: A, context: CallContext) => R | PromiseLike<R>;

/** What may be said of a mark beside its name. */
export type MarkOptions = Omit<PendingMark, "name">;

/** The chunks of one call of a model. Read them with `for await`, or `next`: nothing is read ahead. */
export interface LlmChunks extends AsyncIterableIterator<unknown>, AsyncDisposable {
  /** The caller wants no more: the provider is told, and the call has ended when this settles. */
  return(): Promise<IteratorResult<unknown>>;
  /** As `return`. */
  close(): Promise<void>;
  /** Settles when it is over, in whatever way. Never rejects. */
  readonly closed: Promise<void>;
}

/** Calls under the relay of `setup({ relay })`. All of them throw `actor.no_relay` where there is none. */
export interface ActorCalls {
  /** What goes on: the action, hook or message that this code is a part of. Parent of whatever is begun in it. */
  readonly scope: Scope;
  /** Something happened in it: an event of the relay's. */
  mark(name: string, options?: MarkOptions): void;
  /** Measurements of it, all of them or none. Throws `relay.measurement_invalid`. */
  metric(
    name: string,
    measurements: readonly Measurement[],
    options?: { readonly metadata?: Metadata },
  ): void;
  /**
   * Runs a tool under all middleware that is visible: it may be refused, its arguments and its result rewritten. Throws
   * `relay.guardrail_rejected`, `relay.middleware_failed`, or what the tool throws.
   */
  tool<A, R>(name: string, args: A, fn: ToolCode<A, R>, options?: ToolCallOptions): Promise<R>;
  /** Calls a model whose response comes in one piece, as `tool`. */
  llm(name: string, request: LlmRequest, fn: LlmFunction, options?: LlmCallOptions): Promise<unknown>;
  /**
   * Calls a model whose response comes in chunks. They end with the action, request or connection that asked for them, behind what it has
   * left to `waitUntil` and `keepAwake`: who reads on then is told `relay.aborted`. Throws `actor.overloaded` when 128 are open.
   */
  llmStream(
    name: string,
    request: LlmRequest,
    fn: LlmStreamFunction,
    options?: LlmStreamOptions,
  ): Promise<LlmChunks>;
}
