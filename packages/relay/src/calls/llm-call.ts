/**
 * A managed call of a model whose response comes in one piece, step by step:
 *
 * 1. Conditional guardrails. A no ends it here, and there is no scope of the model.
 * 2. Request intercepts rewrite the request, one after the other.
 * 3. The model's scope opens; the request that the provider gets carries its `traceparent`.
 * 4. The start event is emitted, without headers that hold secrets, then the marks that the intercepts asked for.
 * 5. Execution intercepts, around the provider. Both run in the model's scope.
 * 6. The end event is emitted, and the caller gets what the intercepts answered.
 *
 * A failure after step 3 has an end event with the error; the caller gets the error as it was thrown.
 */
import { relayErrors } from "../errors.ts";
import type { PendingMark } from "../events/event.ts";
import { invoke } from "../middleware/invoke.ts";
import type { LlmRequest, LlmRequestInterceptOutcome } from "../middleware/payloads.ts";
import { traceparent } from "../scope/propagation.ts";
import type { Scope } from "../scope/scope.ts";
import { runAround } from "./around.ts";
import {
  type Call,
  type CallContext,
  type CallOptions,
  type CallParts,
  callWith,
  InnerContext,
} from "./call-parts.ts";
import { askGuardrails, refusal } from "./conditional.ts";

/** What may be said of a call of a model. */
export interface LlmCallOptions extends CallOptions {
  readonly modelName?: string;
}

/** The provider. */
export type LlmFunction = (request: LlmRequest, context: CallContext) => unknown;

/** Headers that no event has. */
const secretHeaders: ReadonlySet<string> = new Set([
  ...["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"],
  ...["anthropic-api-key", "x-goog-api-key"],
]);

/** Calls a model under all middleware that is visible. */
export function llmCall(
  parts: CallParts,
  given: { readonly name: string; readonly request: LlmRequest; readonly fn: LlmFunction },
  options: LlmCallOptions,
): Promise<unknown> {
  const { name, fn } = given;
  return callWith(parts, name, options, async (call) => {
    const request = checked(given.request, `The caller of "${name}"`);
    const guardrails = call.chains.of("llm_conditional_execution_guardrail");
    if (guardrails.length > 0) await askGuardrails(call, guardrails, { name, request });
    const outcome = await rewritten(call, request);
    return await inScope(call, options, outcome, fn);
  });
}

/** The request behind all request intercepts, and the marks that they asked for. */
async function rewritten(call: Call, given: LlmRequest): Promise<Required<LlmRequestInterceptOutcome>> {
  let request = given;
  const pendingMarks: PendingMark[] = [];
  for (const entry of call.chains.of("llm_request_intercept")) {
    try {
      const payload = { name: call.name, request };
      const outcome = await invoke(entry, payload, call.root, call.parts.env.timers);
      request = checked(outcome?.request, `The intercept "${entry.name}"`);
      pendingMarks.push(...(outcome.pendingMarks ?? []));
    } catch (error) {
      throw refusal(call, entry, error);
    }
    if (entry.breakChain) break;
  }
  return { request, pendingMarks };
}

async function inScope(
  call: Call,
  options: LlmCallOptions,
  { request, pendingMarks }: Required<LlmRequestInterceptOutcome>,
  fn: LlmFunction,
): Promise<unknown> {
  const { parts, chains, name, parent } = call;
  const { scopes, recorder, registry } = parts;
  const profile = options.modelName === undefined ? {} : { model_name: options.modelName };
  const scope = scopes.open(name, "llm", { ...options, parent, categoryProfile: profile });
  const requestCopy = { entries: chains.of("llm_sanitize_request_guardrail"), name };
  recorder.start(scope, withoutSecrets(request), { chains, copy: requestCopy });
  for (const mark of pendingMarks) recorder.mark(scope, mark, { chains });
  try {
    const output = await scopes.run(scope, () => execute(call, scope, fn, traced(request, scope)));
    const copy = { entries: chains.of("llm_sanitize_response_guardrail"), name };
    recorder.succeeded(scope, { chains, copy, output });
    return output;
  } catch (error) {
    recorder.failed(scope, error, { chains });
    throw error;
  } finally {
    scopes.end(scope);
    registry.end(scope);
  }
}

function execute(call: Call, scope: Scope, fn: LlmFunction, request: LlmRequest): Promise<unknown> {
  return runAround<"llm_execution_intercept", LlmRequest, unknown>(
    call,
    {
      entries: call.chains.of("llm_execution_intercept"),
      inner: (input, invocation) => fn(input, new InnerContext(invocation, scope)),
      payload: (input) => ({ name: call.name, request: input }),
      next: (rest) => rest,
      outcome: (_entry, answer) => answer,
    },
    request,
  );
}

function traced(request: LlmRequest, scope: Scope): LlmRequest {
  const headers = { ...request.headers, traceparent: traceparent(scope.rootUuid, scope.uuid) };
  return { ...request, headers };
}

function withoutSecrets({ headers, content }: LlmRequest): LlmRequest {
  const told = Object.entries(headers).filter(([header]) => !secretHeaders.has(header.toLowerCase()));
  return { headers: Object.fromEntries(told), content };
}

function checked(request: LlmRequest | undefined, what: string): LlmRequest {
  const whole = typeof request === "object" && request !== null && "content" in request;
  if (whole && typeof request.headers === "object" && request.headers !== null) return request;
  throw relayErrors.badAnswer(what, "a request: { headers, content }");
}
