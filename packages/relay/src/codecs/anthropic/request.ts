/** Requests of Anthropic's messages. */
import type { Json } from "../../events/event.ts";
import type { AnnotatedLlmRequest, AnnotatedMessage, AnnotatedPart } from "../annotated.ts";
import { isList, isObject, type JsonObject, own, present, text, without } from "../json.ts";
import { nativeMessage, nativePart, nativeValue } from "../native.ts";
import { type FieldTable, readFields, writeFields, writeSettings } from "../request-fields.ts";
import { nestedChoice, writtenChoice } from "../tool-choice.ts";

const api = "anthropic_messages";
/** Blocks that annotations have under the same name. */
const sameParts: readonly unknown[] = ["text", "tool_use", "tool_result"];

const table: FieldTable = {
  api,
  params: { temperature: "temperature", max_tokens: "max_tokens", top_p: "top_p", stop: "stop_sequences" },
  specific: ["container", "context_management", "mcp_servers", "output_config", "thinking", "top_k"],
  byHand: ["messages", "system", "tools", "tool_choice"],
};

/** Choices that others say in a word: theirs, and Anthropic's. */
const words: readonly (readonly [string, string])[] = [
  ["auto", "auto"],
  ["required", "any"],
  ["none", "none"],
];

/** The request in the words of all providers. */
export function readRequest(raw: JsonObject): AnnotatedLlmRequest {
  const messages = own(raw, "messages");
  const tools = own(raw, "tools");
  return {
    ...readFields(raw, table),
    messages: isList(messages) ? messages.map(readMessage) : [],
    ...present({
      instructions: own(raw, "system"),
      tools: isList(tools) ? tools.map(readTool) : undefined,
      tool_choice: readChoice(own(raw, "tool_choice")),
    }),
  };
}

/** The annotation in the words of this one. */
export function writeRequest(annotated: AnnotatedLlmRequest): JsonObject {
  return {
    ...writeFields(annotated, table),
    ...writeSettings(annotated, table),
    messages: annotated.messages.map(writeMessage),
    ...present({
      system: annotated.instructions,
      tools: annotated.tools?.map(writeTool),
      tool_choice: writeChoice(annotated.tool_choice),
    }),
  };
}

function readMessage(raw: Json): AnnotatedMessage {
  const role = isObject(raw) ? text(own(raw, "role")) : undefined;
  if (!isObject(raw) || role === undefined) return nativeMessage(api, "unknown", raw);
  const { content } = raw;
  const told = typeof content === "string" ? content : isList(content) ? content.map(readBlock) : undefined;
  return { ...without(raw, "content"), role, ...(told === undefined ? {} : { content: told }) };
}

function writeMessage(message: AnnotatedMessage): Json {
  const native = nativeValue(message);
  if (native !== undefined) return native;
  const { content } = message;
  if (content === undefined || typeof content === "string") return message;
  return { ...message, content: content.map(writeBlock) };
}

function readBlock(raw: Json): AnnotatedPart {
  if (!isObject(raw)) return nativePart(api, "unknown", raw);
  const { type, source } = raw;
  if (sameParts.includes(type)) return { ...raw, type: String(type) };
  const rest = without(raw, "type", "source");
  if (type === "image" && isObject(source)) return { ...rest, type: "image", image: { source } };
  if (type === "document" && isObject(source)) return { ...rest, type: "file", file: { source } };
  return nativePart(api, text(type) ?? "unknown", raw);
}

function writeBlock(part: AnnotatedPart): Json {
  const native = nativeValue(part);
  if (native !== undefined) return native;
  const { image, file } = part;
  const rest = without(part, "type", "image", "file");
  if (part.type === "image" && isObject(image)) return { ...rest, ...image, type: "image" };
  if (part.type === "file" && isObject(file)) return { ...rest, ...file, type: "document" };
  return part;
}

/** A tool of the program's own has a schema; one of the provider's has not. */
function readTool(raw: Json): Json {
  if (!isObject(raw) || !isObject(raw.input_schema))
    return nativePart(api, (isObject(raw) ? text(own(raw, "type")) : undefined) ?? "unknown", raw);
  const fn = {
    name: own(raw, "name"),
    description: own(raw, "description"),
    parameters: raw.input_schema,
  };
  return {
    ...without(raw, "type", "name", "description", "input_schema"),
    type: "function",
    function: present(fn),
  };
}

function writeTool(tool: Json): Json {
  const native = nativeValue(tool);
  if (native !== undefined) return native;
  const fn = isObject(tool) ? own(tool, "function") : undefined;
  if (!isObject(tool) || !isObject(fn)) return tool;
  const { name, description, parameters } = fn;
  return {
    ...without(tool, "type", "function"),
    ...present({ name, description, input_schema: parameters ?? { type: "object" } }),
  };
}

function readChoice(choice: Json | undefined): Json | undefined {
  const type = isObject(choice) ? own(choice, "type") : undefined;
  return words.find(([, ours]) => ours === type)?.[0] ?? nestedChoice(choice, "tool");
}

function writeChoice(choice: Json | undefined): Json | undefined {
  const word = words.find(([theirs]) => theirs === choice);
  return word === undefined ? writtenChoice(choice, "tool") : { type: word[1] };
}
