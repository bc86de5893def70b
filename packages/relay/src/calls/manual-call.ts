/**
 * Calls whose beginning and end the program tells by itself: where a framework calls the tool, and says so before and after.
 * Events and their sanitizers are those of managed calls; there are no guardrails and no intercepts to ask.
 */
import type { Metadata } from "../events/event.ts";
import { plainData } from "../events/plain-data.ts";
import { checkReadable, checkText } from "../given.ts";
import type { LlmRequest, ToolExecutionResult } from "../middleware/payloads.ts";
import type { Scope } from "../scope/scope.ts";
import type { CallParts } from "./call-parts.ts";
import { checkedRequest, requestWithoutSecrets } from "./llm-request.ts";
import type { LlmCallOptions } from "./llm-scope.ts";
import type { ToolCallOptions } from "./tool-call.ts";

/** What a manual call may say: a managed one's, but its caller ends it, so that nobody gives it up. */
export type ManualToolOptions = Omit<ToolCallOptions, "signal">;
/** As {@link ManualToolOptions}, of a model. */
export type ManualLlmOptions = Omit<LlmCallOptions, "signal" | "codec">;

/** How a manual call ended. */
export interface ManualEnd {
  /** Over the call's own. */
  readonly metadata?: Metadata;
  /** It failed with this. Its output isn't told. */
  readonly error?: unknown;
}

/** A tool is called. */
export function beginTool(
  { scopes, recorder, registry }: CallParts,
  { name, args }: { readonly name: string; readonly args: unknown },
  options: ManualToolOptions,
): Scope {
  checkReadable(options);
  const { toolCallId } = options;
  const categoryProfile = toolCallId === undefined ? {} : { tool_call_id: toolCallId };
  const scope = scopes.open(name, "tool", { ...options, categoryProfile });
  const chains = registry.chainsAt(scope);
  const copy = { entries: chains.of("tool_sanitize_request_guardrail"), name };
  recorder.start(scope, args, { chains, copy });
  return scope;
}

/** The tool has answered. */
export function endTool(parts: CallParts, scope: Scope, answer: ToolExecutionResult, end: ManualEnd): void {
  checkReadable(answer, "result");
  checkReadable(end, "end");
  const { result, annotation } = answer;
  const profile = annotation === undefined ? {} : { tool_result_annotation: plainData(annotation) };
  finish(parts, scope, "tool_sanitize_response_guardrail", { ...end, output: result, profile });
}

/** A model is called. Throws `relay.bad_answer` for what is no request. */
export function beginLlm(
  { scopes, recorder, registry }: CallParts,
  { name, request }: { readonly name: string; readonly request: LlmRequest },
  options: ManualLlmOptions,
): Scope {
  checkText(name, "name");
  checkReadable(options);
  const told = requestWithoutSecrets(checkedRequest(request, `The caller of "${name}"`));
  const categoryProfile = options.modelName === undefined ? {} : { model_name: options.modelName };
  const scope = scopes.open(name, "llm", { ...options, categoryProfile });
  const chains = registry.chainsAt(scope);
  const copy = { entries: chains.of("llm_sanitize_request_guardrail"), name };
  recorder.start(scope, told, { chains, copy });
  return scope;
}

/** The model has answered. */
export function endLlm(parts: CallParts, scope: Scope, response: unknown, end: ManualEnd): void {
  checkReadable(end, "end");
  finish(parts, scope, "llm_sanitize_response_guardrail", { ...end, output: response, profile: {} });
}

/** Ends a scope. Throws what `popScope` throws. */
function finish(
  { scopes, recorder, registry }: CallParts,
  scope: Scope,
  kind: "tool_sanitize_response_guardrail" | "llm_sanitize_response_guardrail",
  end: ManualEnd & { readonly output: unknown; readonly profile: Metadata },
): void {
  scopes.checkEnd(scope);
  const chains = registry.chainsAt(scope);
  const copy = { entries: chains.of(kind), name: scope.name };
  const { error, output, profile, metadata } = end;
  const ending = { chains, ...(metadata === undefined ? {} : { metadata }) };
  if (error !== undefined) recorder.failed(scope, error, ending);
  else recorder.succeeded(scope, { ...ending, copy, output, profile });
  scopes.end(scope);
  registry.end(scope);
}
