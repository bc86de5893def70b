/** Requests of OpenAI's responses. */
import type { Json } from "../../events/event.ts";
import type { AnnotatedLlmRequest, AnnotatedMessage, AnnotatedPart } from "../annotated.ts";
import {
  isList,
  isObject,
  type JsonObject,
  own,
  parsedArguments,
  present,
  text,
  without,
  writtenArguments,
} from "../json.ts";
import { nativeMessage, nativePart, nativeValue } from "../native.ts";
import { type FieldTable, isOfType, readFields, writeFields, writeSettings } from "../request-fields.ts";
import { nestedChoice, writtenChoice } from "../tool-choice.ts";

const api = "openai_responses";
const roles: readonly unknown[] = ["system", "user", "developer", "assistant"];

const table: FieldTable = {
  api,
  params: { temperature: "temperature", max_tokens: "max_output_tokens", top_p: "top_p", stop: "stop" },
  specific: ["background", "conversation", "prompt", "prompt_cache_key", "safety_identifier", "text"],
  byHand: ["input", "instructions", "tools", "tool_choice", "max_output_tokens"],
};

/** The request in the words of all providers. */
export function readRequest(raw: JsonObject): AnnotatedLlmRequest {
  const tools = own(raw, "tools");
  return {
    ...readFields(raw, table),
    messages: readInput(own(raw, "input")),
    ...present({
      instructions: own(raw, "instructions"),
      tools: isList(tools) ? tools.map(readTool) : undefined,
      tool_choice: nestedChoice(own(raw, "tool_choice")),
      max_output_tokens: own(raw, "max_output_tokens"),
    }),
  };
}

/** The limit stands in two places of an annotation: the one that differs from `raw` was edited. */
export function writeRequest(annotated: AnnotatedLlmRequest, raw: JsonObject): JsonObject {
  const { max_output_tokens: limit, ...settings } = writeSettings(annotated, table);
  const edited = annotated.max_output_tokens !== own(raw, "max_output_tokens");
  return {
    ...writeFields(annotated, table),
    ...settings,
    input: writeInput(annotated.messages, own(raw, "input")),
    ...present({
      instructions: annotated.instructions,
      tools: annotated.tools?.map(writeTool),
      tool_choice: writtenChoice(annotated.tool_choice),
      max_output_tokens: edited || typeof limit !== "number" ? annotated.max_output_tokens : limit,
    }),
  };
}

function readInput(input: Json | undefined): readonly AnnotatedMessage[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  return isList(input) ? input.map(readItem) : [];
}

/** A text stays one as long as it can. */
function writeInput(messages: readonly AnnotatedMessage[], raw: Json | undefined): Json {
  const [only] = messages;
  const plain = messages.length === 1 && only?.role === "user" && Object.keys(only).length === 2;
  if (typeof raw === "string" && plain && typeof only.content === "string") return only.content;
  return messages.map(writeItem);
}

function readItem(raw: Json): AnnotatedMessage {
  if (!isObject(raw)) return nativeMessage(api, "unknown", raw);
  const { type = "message", role, content } = raw;
  if (type === "function_call")
    return {
      ...without(raw, "type"),
      role: "tool_call",
      arguments: parsedArguments(own(raw, "arguments")),
    };
  if (type === "function_call_output") return { ...without(raw, "type"), role: "tool_result" };
  if (type !== "message" || !roles.includes(role)) return nativeMessage(api, text(type) ?? "unknown", raw);
  const told = typeof content === "string" ? content : isList(content) ? content.map(readPart) : undefined;
  const rest = without(raw, "type", "content");
  return { ...rest, role: String(role), ...(told === undefined ? {} : { content: told }) };
}

function writeItem(message: AnnotatedMessage): Json {
  const native = nativeValue(message);
  if (native !== undefined) return native;
  const { role, content } = message;
  const rest = without(message, "role");
  if (role === "tool_call")
    return { ...rest, type: "function_call", arguments: writtenArguments(message.arguments) };
  if (role === "tool_result") return { ...rest, type: "function_call_output" };
  if (content === undefined || typeof content === "string") return message;
  return { ...message, content: content.map((part) => writePart(part, role)) };
}

function readPart(raw: Json): AnnotatedPart {
  if (!isObject(raw)) return nativePart(api, "unknown", raw);
  const rest = without(raw, "type");
  switch (raw.type) {
    case "input_text":
    case "output_text":
      return { ...rest, type: "text" };
    case "input_image":
      return { type: "image", image: rest };
    case "input_file":
      return { type: "file", file: rest };
    case "refusal":
      return { ...rest, type: "refusal" };
    default:
      return nativePart(api, text(raw.type) ?? "unknown", raw);
  }
}

function writePart(part: AnnotatedPart, role: string): Json {
  const native = nativeValue(part);
  if (native !== undefined) return native;
  const { image, file } = part;
  if (part.type === "text") return { ...part, type: role === "assistant" ? "output_text" : "input_text" };
  if (part.type === "image" && isObject(image)) return { ...image, type: "input_image" };
  if (part.type === "file" && isObject(file)) return { ...file, type: "input_file" };
  return part;
}

function readTool(raw: Json): Json {
  if (!isOfType(raw, "function"))
    return nativePart(api, (isObject(raw) ? text(own(raw, "type")) : undefined) ?? "unknown", raw);
  return { type: "function", function: without(raw, "type") };
}

function writeTool(tool: Json): Json {
  const native = nativeValue(tool);
  if (native !== undefined) return native;
  if (!isObject(tool) || !isObject(tool.function)) return tool;
  return { ...tool.function, type: "function" };
}
