/** Requests of OpenAI's chat completions. */
import type { Json } from "../../events/event.ts";
import type { AnnotatedLlmRequest, AnnotatedMessage, AnnotatedPart } from "../annotated.ts";
import { isList, isObject, type JsonObject, number, own, present, text, without } from "../json.ts";
import { nativeMessage, nativePart, nativeValue } from "../native.ts";
import { type FieldTable, readFields, writeFields, writeSettings } from "../request-fields.ts";

const api = "openai_chat";
const roles: readonly unknown[] = ["system", "user", "developer", "assistant", "tool", "function"];
/** Parts that annotations have under the same name. */
const sameParts: readonly unknown[] = ["text", "image_url", "file", "refusal"];

const table: FieldTable = {
  api,
  params: { temperature: "temperature", max_tokens: "max_completion_tokens", top_p: "top_p", stop: "stop" },
  specific: [
    ...["audio", "frequency_penalty", "logit_bias", "logprobs", "modalities", "n", "prediction"],
    ...["presence_penalty", "prompt_cache_key", "reasoning_effort", "response_format", "safety_identifier"],
    ...["seed", "stream_options", "verbosity", "web_search_options"],
  ],
  byHand: ["messages", "tools", "tool_choice", "max_tokens"],
};

/** The request in the words of all providers. */
export function readRequest(raw: JsonObject): AnnotatedLlmRequest {
  const messages = own(raw, "messages");
  const tools = own(raw, "tools");
  // The older name of the limit; where both stand the newer one counts.
  const limit = own(raw, "max_completion_tokens") ?? number(own(raw, "max_tokens"));
  return {
    ...readFields(raw, table, limit === undefined ? raw : { ...raw, max_completion_tokens: limit }),
    messages: isList(messages) ? messages.map(readMessage) : [],
    ...present({ tools: isList(tools) ? tools : undefined, tool_choice: own(raw, "tool_choice") }),
  };
}

/** `raw` says which name of the limit the request has. */
export function writeRequest(annotated: AnnotatedLlmRequest, raw: JsonObject): JsonObject {
  const { max_completion_tokens: limit, ...settings } = writeSettings(annotated, table);
  const older = number(own(raw, "max_completion_tokens")) === undefined && number(own(raw, "max_tokens"));
  return {
    ...writeFields(annotated, table),
    ...settings,
    ...present({ [typeof older === "number" ? "max_tokens" : "max_completion_tokens"]: limit }),
    messages: annotated.messages.map(writeMessage),
    ...present({ tools: annotated.tools, tool_choice: annotated.tool_choice }),
  };
}

function readMessage(raw: Json): AnnotatedMessage {
  if (!isObject(raw) || !roles.includes(raw.role)) {
    const kind = isObject(raw) ? text(own(raw, "role")) : undefined;
    return nativeMessage(api, kind ?? "unknown", raw);
  }
  const { role, content } = raw;
  const told = typeof content === "string" ? content : isList(content) ? content.map(readPart) : undefined;
  return { ...without(raw, "content"), role: String(role), ...(told === undefined ? {} : { content: told }) };
}

function writeMessage(message: AnnotatedMessage): Json {
  const native = nativeValue(message);
  if (native !== undefined) return native;
  const { content } = message;
  if (content === undefined || typeof content === "string") return message;
  return { ...message, content: content.map(writePart) };
}

function readPart(raw: Json): AnnotatedPart {
  if (!isObject(raw)) return nativePart(api, "unknown", raw);
  const { type } = raw;
  if (sameParts.includes(type)) return { ...raw, type: String(type) };
  if (type !== "input_audio") return nativePart(api, text(type) ?? "unknown", raw);
  return { ...without(raw, "input_audio"), type: "audio", audio: raw.input_audio ?? null };
}

function writePart(part: AnnotatedPart): Json {
  const native = nativeValue(part);
  if (native !== undefined) return native;
  if (part.type !== "audio") return part;
  return { ...without(part, "audio"), type: "input_audio", input_audio: part.audio ?? null };
}
