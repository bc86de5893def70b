/**
 * A managed call of a model whose response comes in one piece, step by step:
 *
 * 1. Conditional guardrails. A no ends it here, and there is no scope of the model.
 * 2. Request intercepts rewrite the request, one after the other; where there is a codec, in its words.
 * 3. The model's scope opens; the request that the provider gets carries its `traceparent`.
 * 4. The start event is emitted, without headers that hold secrets, then the marks that the intercepts asked for.
 * 5. Execution intercepts, around the provider. Both run in the model's scope.
 * 6. The end event is emitted, and the caller gets what the intercepts answered.
 *
 * A failure after step 3 has an end event with the error; the caller gets what the provider throws as it was thrown, and an intercept's own
 * failure as `relay.middleware_failed`.
 */
import { relayErrors } from "../errors.ts";
import { checkFunction } from "../given.ts";
import type { Invocation } from "../middleware/invocation.ts";
import type { MaybePromise } from "../middleware/invoke.ts";
import type { LlmRequest } from "../middleware/payloads.ts";
import type { Scope } from "../scope/scope.ts";
import { runAround } from "./around.ts";
import { type Call, type CallParts, callWith, InnerContext } from "./call-parts.ts";
import { askGuardrails, remembered } from "./conditional.ts";
import {
  checkedRequest,
  nextRequest,
  type RewrittenRequest,
  rewrittenRequest,
  tracedRequest,
} from "./llm-request.ts";
import { type LlmCallOptions, LlmScope } from "./llm-scope.ts";
import { type LlmContext, StreamingContext } from "./stream-chain.ts";

/** The provider. */
export type LlmFunction = (request: LlmRequest, context: LlmContext) => unknown;

/** Calls a model under all middleware that is visible. */
export function llmCall(
  parts: CallParts,
  given: { readonly name: string; readonly request: LlmRequest; readonly fn: LlmFunction },
  options: LlmCallOptions,
): Promise<unknown> {
  const { name, fn } = given;
  return callWith(parts, name, options, async (call) => {
    checkFunction(fn, "The provider");
    const allowed = allowedRequest(call, given.request, options);
    return await inScope(call, options, allowed instanceof Promise ? await allowed : allowed, fn);
  });
}

/** The request behind all guardrails and request intercepts: what a call of any form begins with. At once where nobody takes time. */
export function allowedRequest(
  call: Call,
  given: LlmRequest,
  { codec }: Pick<LlmCallOptions, "codec">,
): MaybePromise<RewrittenRequest> {
  const { name } = call;
  const request = checkedRequest(given, `The caller of "${name}"`);
  const guardrails = call.chains.of("llm_conditional_execution_guardrail");
  const asked = askGuardrails(call, guardrails, { name, request });
  if (!(asked instanceof Promise)) return rewrittenRequest(call, request, codec);
  const checkUnchanged = remembered(call, request);
  return asked.then(() => {
    checkUnchanged();
    return rewrittenRequest(call, request, codec);
  });
}

async function inScope(
  call: Call,
  options: LlmCallOptions,
  rewritten: RewrittenRequest,
  fn: LlmFunction,
): Promise<unknown> {
  const model = new LlmScope(call, options, rewritten);
  const { scope } = model;
  try {
    const { scopes } = call.parts;
    const traced = tracedRequest(rewritten.request, scope);
    const output = await scopes.run(scope, () => execute(call, scope, fn, traced));
    model.answered(output);
    return output;
  } catch (error) {
    model.failed(error);
    throw error;
  } finally {
    model.end();
  }
}

function execute(call: Call, scope: Scope, fn: LlmFunction, request: LlmRequest): MaybePromise<unknown> {
  const entries = call.chains.of("llm_stream_execution_intercept");
  const contextOf = (invocation: Invocation): LlmContext =>
    entries.length === 0
      ? new InnerContext(invocation, scope)
      : new StreamingContext({ call, scope, entries }, invocation);
  return runAround<"llm_execution_intercept", LlmRequest, unknown>(
    call,
    {
      entries: call.chains.of("llm_execution_intercept"),
      inner: (input, invocation) => fn(input, contextOf(invocation)),
      payload: (input) => ({ name: call.name, request: input }),
      next: (rest) => rest,
      given: ({ name }, input) => nextRequest(input, name),
      outcome: ({ name }, answer, hasAsked) => {
        // What the rest of the call has answered it may give on, whatever that is.
        if (hasAsked || (answer !== null && answer !== undefined)) return answer;
        throw relayErrors.badAnswer(`The intercept "${name}"`, "a response, or call next");
      },
    },
    request,
  );
}
