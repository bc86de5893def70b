/** OpenInference's conventions: what kind of span it is, what went in and came out, and messages one by one. */
import type { AnnotatedMessage } from "../../codecs/annotated.ts";
import { isObject } from "../../codecs/json.ts";
import type { Json } from "../../events/event.ts";
import type { ScopeType } from "../../scope/scope-type.ts";
import {
  type AttributeMap,
  attributes,
  type DescribedCall,
  metadataOf,
  profileOf,
  requestOf,
  responseOf,
} from "./described-call.ts";
import { modelOf } from "./gen-ai.ts";

const kinds: Readonly<Record<ScopeType, string>> = {
  agent: "AGENT",
  function: "CHAIN",
  tool: "TOOL",
  llm: "LLM",
  retriever: "RETRIEVER",
  embedder: "EMBEDDING",
  reranker: "RERANKER",
  guardrail: "GUARDRAIL",
  evaluator: "EVALUATOR",
  custom: "CHAIN",
  unknown: "CHAIN",
};

/** The attributes of a scope. */
export function openInferenceAttributes(call: DescribedCall, content: boolean): AttributeMap {
  const { start, end } = call;
  return {
    ...attributes({ "openinference.span.kind": kinds[start.category] }),
    ...(content ? { ...sides("input", start.data), ...sides("output", end?.data ?? null) } : {}),
    ...(start.category === "llm" ? modelAttributes(call, content) : {}),
    ...(start.category === "tool" ? toolAttributes(call, content) : {}),
    ...attributes({ metadata: Object.keys(metadataOf(call)).length === 0 ? undefined : metadataOf(call) }),
  };
}

function sides(side: "input" | "output", data: Json): AttributeMap {
  if (data === null) return {};
  if (typeof data === "string") return { [`${side}.value`]: data, [`${side}.mime_type`]: "text/plain" };
  return { [`${side}.value`]: JSON.stringify(data), [`${side}.mime_type`]: "application/json" };
}

function modelAttributes(call: DescribedCall, content: boolean): AttributeMap {
  const request = requestOf(call);
  const response = responseOf(call);
  const usage = response?.usage;
  const cost = usage?.cost;
  return {
    ...attributes({
      "llm.model_name": response?.model ?? modelOf(call),
      "llm.provider": request?.api_specific?.api ?? call.start.name,
      "llm.invocation_parameters": request?.params === undefined ? undefined : JSON.stringify(request.params),
      "llm.token_count.prompt": usage?.prompt_tokens,
      "llm.token_count.completion": usage?.completion_tokens,
      "llm.token_count.total": usage?.total_tokens,
      "llm.token_count.prompt_details.cache_read": usage?.cache_read_tokens,
      "llm.token_count.prompt_details.cache_write": usage?.cache_write_tokens,
      "llm.cost.total": cost?.total,
      "llm.cost.prompt": cost?.input,
      "llm.cost.completion": cost?.output,
    }),
    ...(content ? messages(call) : {}),
  };
}

function messages(call: DescribedCall): AttributeMap {
  const request = requestOf(call);
  const response = responseOf(call);
  const told: AttributeMap = {};
  for (const [n, message] of (request?.messages ?? []).entries())
    Object.assign(told, messageAttributes(`llm.input_messages.${n}.message`, message));
  if (response !== undefined) {
    const calls = (response.tool_calls ?? []).map(({ id, name, arguments: args }) => ({
      id,
      function: { name, arguments: args },
    }));
    const answer = { role: "assistant", content: response.message ?? "", tool_calls: calls };
    Object.assign(told, messageAttributes("llm.output_messages.0.message", answer));
  }
  for (const [n, tool] of (request?.tools ?? []).entries())
    told[`llm.tools.${n}.tool.json_schema`] = JSON.stringify(tool);
  return told;
}

function messageAttributes(at: string, message: AnnotatedMessage): AttributeMap {
  const { role, content, tool_calls: calls, tool_call_id: answers } = message;
  const told = attributes({
    [`${at}.role`]: role,
    [`${at}.content`]: typeof content === "string" ? content : undefined,
    [`${at}.tool_call_id`]: answers,
  });
  if (Array.isArray(content))
    for (const [n, part] of content.entries()) {
      if (!isObject(part)) continue;
      told[`${at}.contents.${n}.message_content.type`] = String(part.type);
      if (typeof part.text === "string") told[`${at}.contents.${n}.message_content.text`] = part.text;
    }
  if (Array.isArray(calls))
    for (const [n, call] of calls.entries()) {
      const fn = isObject(call) ? call.function : undefined;
      if (!isObject(call) || !isObject(fn)) continue;
      const place = `${at}.tool_calls.${n}.tool_call`;
      const args = fn.arguments;
      const written = typeof args === "string" ? args : JSON.stringify(args ?? {});
      Object.assign(
        told,
        attributes({
          [`${place}.id`]: call.id,
          [`${place}.function.name`]: fn.name,
          [`${place}.function.arguments`]: written,
        }),
      );
    }
  return told;
}

function toolAttributes(call: DescribedCall, content: boolean): AttributeMap {
  const { start } = call;
  return attributes({
    "tool.name": start.name,
    "tool_call.id": profileOf(call).tool_call_id,
    "tool.parameters": content && start.data !== null ? JSON.stringify(start.data) : undefined,
  });
}
