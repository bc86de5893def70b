/**
 * Calls with types: a program works with values of its own, and middleware with what JSON can say of them.
 *
 * Codecs stand at the two ends. Arguments are encoded before guardrails and intercepts see them and decoded before the tool
 * does, so that what an intercept has changed is checked; results go the other way.
 */

import type { CallContext } from "./calls/call-parts.ts";
import type { LlmCallOptions } from "./calls/llm-scope.ts";
import type { LlmStreamOptions } from "./calls/llm-stream-call.ts";
import type { ToolCallOptions } from "./calls/tool-call.ts";
import { checkReadable } from "./given.ts";
import type { LlmRequest } from "./middleware/payloads.ts";
import type { RelayCore } from "./relay.ts";

/** Turns values into what JSON can say, and back. `fromJson` throws for what isn't one of its values. */
export interface Codec<T> {
  toJson(value: T): unknown;
  fromJson(json: unknown): T;
}

/** A codec that changes nothing and checks nothing. */
export class JsonPassthrough<T = unknown> implements Codec<T> {
  toJson(value: T): unknown {
    return value;
  }

  fromJson(json: unknown): T {
    return json as T;
  }
}

/** The relay of a typed call. */
type Caller = Pick<RelayCore, "toolCallExecute" | "llmCallExecute" | "llmStreamCallExecute">;

/** The two ends of a tool. */
export interface ToolCodecs<A, R> {
  readonly args: Codec<A>;
  readonly result: Codec<R>;
}

/** Calls a tool. Throws what its codecs throw, beside what `toolCallExecute` throws. */
export async function typedToolExecute<A, R>(
  relay: Caller,
  call: {
    readonly name: string;
    readonly args: A;
    readonly fn: (args: A, context: CallContext) => R | PromiseLike<R>;
  },
  codecs: ToolCodecs<A, R>,
  options: ToolCallOptions = {},
): Promise<R> {
  checkReadable(call, "call");
  checkReadable(codecs, "codecs");
  const { name, args, fn } = call;
  const { result } = await relay.toolCallExecute(
    name,
    codecs.args.toJson(args),
    async (json, context) => ({
      result: codecs.result.toJson(await fn(codecs.args.fromJson(json), context)),
    }),
    options,
  );
  return codecs.result.fromJson(result);
}

/** Calls a model whose response comes in one piece. */
export async function typedLlmExecute<R>(
  relay: Caller,
  call: {
    readonly name: string;
    readonly request: LlmRequest;
    readonly fn: (request: LlmRequest, context: CallContext) => R | PromiseLike<R>;
  },
  response: Codec<R>,
  options: LlmCallOptions = {},
): Promise<R> {
  checkReadable(call, "call");
  const { name, request, fn } = call;
  const json = await relay.llmCallExecute(
    name,
    request,
    async (given, context) => response.toJson(await fn(given, context)),
    options,
  );
  return response.fromJson(json);
}

/** The two ends of a model that streams. */
export interface StreamCodecs<C, R> {
  readonly chunk: Codec<C>;
  readonly response: Codec<R>;
}

/** What is done with typed chunks beside giving them to the caller. */
export interface TypedStreamOptions<C, R>
  extends Omit<LlmStreamOptions, "collector" | "finalizer" | "isLast"> {
  readonly collector?: (chunk: C) => void;
  readonly finalizer?: () => R | PromiseLike<R>;
  readonly isLast?: (chunk: C) => boolean;
}

/** Calls a model whose response comes in chunks; what it answers is read like any generator. */
export async function* typedLlmStreamExecute<C, R>(
  relay: Caller,
  call: {
    readonly name: string;
    readonly request: LlmRequest;
    readonly fn: (request: LlmRequest, context: CallContext) => AsyncIterable<C>;
  },
  codecs: StreamCodecs<C, R>,
  options: TypedStreamOptions<C, R> = {},
): AsyncGenerator<C, void, undefined> {
  checkReadable(call, "call");
  checkReadable(options);
  const { collector, finalizer, isLast, ...rest } = options;
  const { chunk, response } = codecs;
  const stream = await relay.llmStreamCallExecute(
    call.name,
    call.request,
    (request, context) => encoded(call.fn(request, context), chunk),
    {
      ...rest,
      ...(collector === undefined ? {} : { collector: (json) => collector(chunk.fromJson(json)) }),
      ...(finalizer === undefined ? {} : { finalizer: async () => response.toJson(await finalizer()) }),
      ...(isLast === undefined ? {} : { isLast: (json) => isLast(chunk.fromJson(json)) }),
    },
  );
  for await (const json of stream) yield chunk.fromJson(json);
}

async function* encoded<C>(chunks: AsyncIterable<C>, codec: Codec<C>): AsyncGenerator<unknown> {
  for await (const chunk of chunks) yield codec.toJson(chunk);
}
