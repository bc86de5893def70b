/**
 * A managed call of a model whose response comes in chunks. Steps 1 to 4 are those of `llm-call.ts`; then:
 *
 * 5. Stream execution intercepts, around the provider, and the provider itself: what answers the chunks.
 * 6. Each chunk that the caller asks for: a mark `llm.chunk`, the collector, the caller.
 * 7. The finalizer gives the response, and the end event is emitted (`llm-stream.ts`).
 */
import { relayErrors } from "../errors.ts";
import { checkFunction } from "../given.ts";
import { Invocation } from "../middleware/invocation.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import { type Call, type CallParts, checkCall } from "./call-parts.ts";
import { allowedRequest } from "./llm-call.ts";
import type { LlmCodec, StreamCollector } from "./llm-codec.ts";
import { tracedRequest } from "./llm-request.ts";
import { type LlmCallOptions, LlmScope } from "./llm-scope.ts";
import { LlmStream, type StreamSinks } from "./llm-stream.ts";
import { type LlmStreamFunction, openChain } from "./stream-chain.ts";

/** What may be said of a call of a model that streams. */
export interface LlmStreamOptions extends LlmCallOptions, StreamSinks {}

/** Opens a stream under all middleware that is visible. */
export async function llmStreamCall(
  parts: CallParts,
  given: { readonly name: string; readonly request: LlmRequest; readonly fn: LlmStreamFunction },
  options: LlmStreamOptions,
): Promise<LlmStream> {
  const { name, fn } = given;
  checkCall(name, options);
  const parent = parts.scopes.own(options.parent);
  const root = new Invocation();
  const call: Call = { parts, name, parent, chains: parts.registry.chainsAt(parent), root };
  const { signal } = options;
  const abort = (): void => root.cancel(relayErrors.aborted(name, signal?.reason));
  const unlisten = (): void => signal?.removeEventListener("abort", abort);
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted === true) abort();
  try {
    return await root.run(() => open(call, { request: given.request, fn, options, ended: unlisten }));
  } catch (error) {
    unlisten();
    throw error;
  }
}

async function open(
  call: Call,
  stream: {
    readonly request: LlmRequest;
    readonly fn: LlmStreamFunction;
    readonly options: LlmStreamOptions;
    readonly ended: () => void;
  },
): Promise<LlmStream> {
  const { fn, options, ended } = stream;
  const rewritten = await allowedRequest(call, stream.request, options);
  checkFunction(fn, "The provider");
  const model = new LlmScope(call, options, rewritten, ["streaming"]);
  const { scope } = model;
  const entries = call.chains.of("llm_stream_execution_intercept");
  const { parts, name, root } = call;
  try {
    const traced = tracedRequest(rewritten.request, scope);
    const level = await parts.scopes.run(scope, () => openChain({ call, scope, fn, entries }, traced));
    const { collector, finalizer, isLast } = options;
    const gathered = collectorOf(options.codec);
    return new LlmStream({
      ...{ parts, name, model, level, root, gathered, ended },
      ...(collector === undefined ? {} : { collector }),
      ...(finalizer === undefined ? {} : { finalizer }),
      ...(isLast === undefined ? {} : { isLast }),
    });
  } catch (error) {
    model.failed(error);
    model.end();
    throw error;
  }
}

function collectorOf(codec: LlmCodec | undefined): StreamCollector | undefined {
  try {
    return codec?.collectStream?.();
  } catch (cause) {
    throw relayErrors.codecFailed("collectStream", cause);
  }
}
