/** Chains run by themselves: where the call itself is made elsewhere, and only its permission or its rewriting is asked for. */
import { checkReadable } from "../given.ts";
import type { ActionPayload, LlmRequest } from "../middleware/payloads.ts";
import { type CallOptions, type CallParts, callWith } from "./call-parts.ts";
import { askGuardrails } from "./conditional.ts";
import { checkedRequest, rewrittenRequest } from "./llm-request.ts";
import type { LlmCallOptions } from "./llm-scope.ts";
import { rewrittenArgs } from "./tool-call.ts";

/** Throws unless the call of the tool may happen. */
export function askToolGuardrails(
  parts: CallParts,
  name: string,
  args: unknown,
  options: CallOptions,
): Promise<void> {
  return callWith(parts, name, options, async (call) => {
    const entries = call.chains.of("tool_conditional_execution_guardrail");
    await askGuardrails(call, entries, { toolName: name, args });
  });
}

/** The arguments that the tool would get. */
export function rewriteToolRequest(
  parts: CallParts,
  name: string,
  args: unknown,
  options: CallOptions,
): Promise<unknown> {
  return callWith(parts, name, options, (call) => rewrittenArgs(call, args));
}

/** Throws unless the call of the model may happen. */
export function askLlmGuardrails(
  parts: CallParts,
  name: string,
  request: LlmRequest,
  options: CallOptions,
): Promise<void> {
  return callWith(parts, name, options, async (call) => {
    const entries = call.chains.of("llm_conditional_execution_guardrail");
    await askGuardrails(call, entries, { name, request: checkedRequest(request, `The caller of "${name}"`) });
  });
}

/** The request that the provider would get. */
export function rewriteLlmRequest(
  parts: CallParts,
  name: string,
  request: LlmRequest,
  options: Pick<LlmCallOptions, "codec"> & CallOptions,
): Promise<LlmRequest> {
  return callWith(parts, name, options, async (call) => {
    const given = checkedRequest(request, `The caller of "${name}"`);
    return (await rewrittenRequest(call, given, options.codec)).request;
  });
}

/** Throws unless the action may begin. */
export function askActionGuardrails(
  parts: CallParts,
  payload: ActionPayload,
  options: CallOptions,
): Promise<void> {
  try {
    checkReadable(payload, "payload");
  } catch (error) {
    return Promise.reject(error);
  }
  return callWith(parts, `${payload.actor}.${payload.action}`, options, async (call) => {
    await askGuardrails(call, call.chains.of("action_conditional_execution_guardrail"), payload);
  });
}
