/**
 * The GenAI conventions of OpenTelemetry, as of semantic conventions 1.45.0: names of spans and of attributes.
 *
 * What was said (messages, instructions, arguments, results) is content, and told only when the exporter is asked to.
 */
import type { AnnotatedMessage, AnnotatedUsage, CodecName } from "../../codecs/annotated.ts";
import { isObject } from "../../codecs/json.ts";
import type { Json, ScopeEvent } from "../../events/event.ts";
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

/** The version of the conventions that names come from. */
export const GEN_AI_CONVENTIONS = "1.45.0";

/** Operations by what a scope is. */
const operations: Partial<Readonly<Record<ScopeType, string>>> = {
  agent: "invoke_agent",
  tool: "execute_tool",
  llm: "chat",
  embedder: "embeddings",
  retriever: "retrieval",
};

const providers: Readonly<Record<CodecName, string>> = {
  openai_chat: "openai",
  openai_responses: "openai",
  anthropic_messages: "anthropic",
  gemini_generate_content: "gcp.gemini",
};

/** `chat gpt-4o`, `execute_tool search`, or the scope's own name. */
export function genAiName(call: DescribedCall): string {
  const { name, category } = call.start;
  const operation = operations[category];
  if (operation === undefined) return name;
  return category === "llm" ? `${operation} ${modelOf(call) ?? name}` : `${operation} ${name}`;
}

/** The attributes of a scope. */
export function genAiAttributes(call: DescribedCall, content: boolean): AttributeMap {
  const { start } = call;
  return {
    ...attributes({
      "gen_ai.operation.name": operations[start.category],
      "error.type": metadataOf(call)["error.type"],
    }),
    ...(start.category === "llm" ? modelAttributes(call, content) : {}),
    ...(start.category === "tool" ? toolAttributes(call, content) : {}),
    ...(start.category === "agent" ? attributes({ "gen_ai.agent.name": start.name }) : {}),
  };
}

function modelAttributes(call: DescribedCall, content: boolean): AttributeMap {
  const request = requestOf(call);
  const response = responseOf(call);
  const params = request?.params;
  const usage = response?.usage;
  const api = request?.api_specific?.api ?? response?.api_specific?.api;
  const first = profileOf(call).time_to_first_chunk;
  return {
    ...attributes({
      "gen_ai.provider.name": api === undefined ? call.start.name : (providers[api] ?? api),
      "gen_ai.request.model": modelOf(call),
      "gen_ai.request.temperature": params?.temperature,
      "gen_ai.request.max_tokens": params?.max_tokens,
      "gen_ai.request.top_p": params?.top_p,
      "gen_ai.request.stop_sequences": params?.stop,
      "gen_ai.request.stream": call.start.attributes.includes("streaming") ? true : undefined,
      "gen_ai.response.id": response?.id,
      "gen_ai.response.model": response?.model,
      "gen_ai.response.finish_reasons":
        response?.finish_reason === undefined ? undefined : [response.finish_reason],
      "gen_ai.response.time_to_first_chunk": typeof first === "number" ? first : undefined,
      "gen_ai.usage.input_tokens": inputTokens(usage),
      "gen_ai.usage.output_tokens": usage?.completion_tokens,
      "gen_ai.usage.cache_read.input_tokens": usage?.cache_read_tokens,
      "gen_ai.usage.cache_creation.input_tokens": usage?.cache_write_tokens,
    }),
    ...(content ? modelContent(call) : {}),
  };
}

/** All of them: the conventions count cached ones in, also where the provider doesn't. */
function inputTokens(usage: AnnotatedUsage | undefined): number | undefined {
  if (usage?.uncached_input_tokens === undefined) return usage?.prompt_tokens;
  return usage.uncached_input_tokens + (usage.cache_read_tokens ?? 0) + (usage.cache_write_tokens ?? 0);
}

function modelContent(call: DescribedCall): AttributeMap {
  const request = requestOf(call);
  const response = responseOf(call);
  const said = response?.message === undefined ? [] : [{ type: "text", content: response.message }];
  const calls = (response?.tool_calls ?? []).map((one) => ({ type: "tool_call", ...one }));
  const answer: Json = {
    role: "assistant",
    parts: [...said, ...calls],
    finish_reason: response?.finish_reason ?? "unknown",
  };
  return attributes({
    "gen_ai.input.messages": asText(request?.messages.map(message)),
    "gen_ai.output.messages": response === undefined ? undefined : asText([answer]),
    "gen_ai.system_instructions": asText(request?.instructions),
    "gen_ai.tool.definitions": asText(request?.tools),
  });
}

/** A message in the conventions' shape: a role and parts. */
function message({ role, content, ...rest }: AnnotatedMessage): Json {
  const parts = typeof content === "string" ? [{ type: "text", content }] : (content ?? []);
  return { role, parts, ...rest };
}

function toolAttributes(call: DescribedCall, content: boolean): AttributeMap {
  const { start, end } = call;
  return attributes({
    "gen_ai.tool.name": start.name,
    "gen_ai.tool.type": "function",
    "gen_ai.tool.call.id": profileOf(call).tool_call_id,
    "gen_ai.tool.call.arguments": content ? asText(start.data) : undefined,
    "gen_ai.tool.call.result": content ? asText(end?.data) : undefined,
  });
}

/** What a mark says of a tool that an answer asks for. */
export function toolCallAttributes(data: Json, content: boolean): Readonly<Record<string, Json | undefined>> {
  const { tool_name, tool_call_id, arguments: args } = isObject(data) ? data : {};
  return {
    "gen_ai.tool.name": tool_name,
    "gen_ai.tool.call.id": tool_call_id,
    "gen_ai.tool.call.arguments": content ? asText(args) : undefined,
  };
}

/** The model that was asked for. */
export function modelOf(call: DescribedCall): string | undefined {
  const named = profileOf(call).model_name;
  if (typeof named === "string") return named;
  return requestOf(call)?.model ?? modelIn(call.start);
}

/** Without a codec: what the request itself says. */
function modelIn({ data }: ScopeEvent): string | undefined {
  const content = isObject(data) ? data.content : undefined;
  const model = isObject(content) ? content.model : undefined;
  return typeof model === "string" ? model : undefined;
}

function asText(value: Json | undefined): string | undefined {
  return value === undefined || value === null ? undefined : JSON.stringify(value);
}
