/**
 * Requests of Gemini's generateContent.
 *
 * The system's instruction is told as the first message. A content with answers of functions is one tool message for
 * each, and tool messages that follow each other are written as one content, which is how the provider wants them.
 */
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
import { type FieldTable, readFields, writeFields, writeSettings } from "../request-fields.ts";
import { readTools, writeTools } from "./tools.ts";

const api = "gemini_generate_content";
const provider = "gemini";

const table: FieldTable = {
  api,
  params: { temperature: "temperature", max_tokens: "maxOutputTokens", top_p: "topP", stop: "stopSequences" },
  specific: [
    ...["candidateCount", "frequencyPenalty", "logprobs", "presencePenalty", "responseJsonSchema"],
    ...["responseLogprobs", "responseMimeType", "responseModalities", "responseSchema", "seed"],
    ...["speechConfig", "thinkingConfig", "topK"],
  ],
  byHand: ["contents", "systemInstruction", "generationConfig", "tools"],
};

/** The request in the words of all providers. */
export function readRequest(raw: JsonObject): AnnotatedLlmRequest {
  const contents = own(raw, "contents");
  const config = own(raw, "generationConfig");
  const fields = readFields(raw, table, isObject(config) ? config : {});
  const { model, stream } = raw;
  return {
    ...fields,
    ...present({
      model: text(model),
      stream: typeof stream === "boolean" ? stream : undefined,
      tools: readTools(own(raw, "tools")),
    }),
    messages: [
      ...readInstruction(own(raw, "systemInstruction")),
      ...(isList(contents) ? contents.flatMap(readContent) : []),
    ],
  };
}

/** The annotation in the words of this one. */
export function writeRequest(annotated: AnnotatedLlmRequest): JsonObject {
  const [first, ...others] = annotated.messages;
  const instructed = first?.role === "system";
  const settings = writeSettings(annotated, table);
  return {
    ...writeFields(annotated, table),
    ...present({
      systemInstruction: instructed ? { parts: writeParts(first) } : undefined,
      generationConfig: Object.keys(settings).length === 0 ? undefined : settings,
      tools: writeTools(annotated.tools),
    }),
    contents: writeContents(instructed ? others : annotated.messages),
  };
}

function readInstruction(instruction: Json | undefined): readonly AnnotatedMessage[] {
  if (!isObject(instruction) || !isList(instruction.parts)) return [];
  return [{ role: "system", content: readContentOf(instruction.parts) }];
}

function readContent(raw: Json): readonly AnnotatedMessage[] {
  const parts = isObject(raw) ? own(raw, "parts") : undefined;
  if (!isObject(raw) || !isList(parts)) return [nativeMessage(provider, "content", raw)];
  if (parts.length > 0 && parts.every(isAnswer)) return parts.map(readAnswer);
  const role = raw.role === "model" ? "assistant" : (text(own(raw, "role")) ?? "user");
  const calls = parts.filter(isCall);
  const said = parts.filter((part) => !isCall(part));
  return [
    {
      role,
      ...(said.length === 0 && calls.length > 0 ? {} : { content: readContentOf(said) }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(readCall) }),
    },
  ];
}

/** A single text is told as one. */
function readContentOf(parts: readonly Json[]): string | readonly AnnotatedPart[] {
  const [only] = parts;
  const plain = parts.length === 1 && isObject(only) && Object.keys(only).length === 1;
  return (plain ? text(own(only, "text")) : undefined) ?? parts.map(readPart);
}

function readPart(raw: Json): AnnotatedPart {
  if (!isObject(raw)) return nativePart(provider, "unknown", raw);
  if (typeof raw.text === "string" && raw.thought !== true) return { ...raw, type: "text" };
  const [kind = "unknown"] = Object.keys(raw);
  return nativePart(provider, raw.thought === true ? "thought" : kind, raw);
}

interface CallPart extends JsonObject {
  readonly functionCall: JsonObject;
}

interface AnswerPart extends JsonObject {
  readonly functionResponse: JsonObject;
}

function isCall(part: Json): part is CallPart {
  return isObject(part) && isObject(part.functionCall);
}

function isAnswer(part: Json): part is AnswerPart {
  return isObject(part) && isObject(part.functionResponse);
}

function readCall({ functionCall: call }: CallPart): Json {
  const name = text(own(call, "name")) ?? "";
  return {
    id: text(own(call, "id")) ?? name,
    type: "function",
    function: { name, arguments: writtenArguments(own(call, "args")) },
  };
}

function readAnswer({ functionResponse: answer }: AnswerPart): AnnotatedMessage {
  const name = text(own(answer, "name")) ?? "";
  const content = JSON.stringify(own(answer, "response") ?? null);
  return { role: "tool", name, tool_call_id: text(own(answer, "id")) ?? name, content };
}

function writeContents(messages: readonly AnnotatedMessage[]): readonly Json[] {
  const contents: Json[] = [];
  let answers: Json[] | undefined;
  for (const message of messages) {
    if (message.role !== "tool") {
      contents.push(writeContent(message));
      answers = undefined;
    } else if (answers === undefined) {
      answers = [writeAnswer(message)];
      contents.push({ role: "user", parts: answers });
    } else {
      answers.push(writeAnswer(message));
    }
  }
  return contents;
}

function writeContent(message: AnnotatedMessage): Json {
  const native = nativeValue(message);
  if (native !== undefined) return native;
  const role = message.role === "assistant" ? "model" : message.role;
  return { role, parts: writeParts(message) };
}

function writeParts({ content, tool_calls: calls }: AnnotatedMessage): readonly Json[] {
  const said = typeof content === "string" ? [{ text: content }] : (content ?? []).map(writePart);
  return [...said, ...(isList(calls) ? calls.filter(isObject).map(writeCall) : [])];
}

function writePart(part: AnnotatedPart): Json {
  return nativeValue(part) ?? without(part, "type");
}

function writeCall(call: JsonObject): Json {
  const fn = own(call, "function");
  const { name = "", arguments: args } = isObject(fn) ? fn : {};
  const { id } = call;
  return { functionCall: { ...(id === name ? {} : present({ id })), name, args: parsedArguments(args) } };
}

function writeAnswer(message: AnnotatedMessage): Json {
  const { tool_call_id: id = "", content } = message;
  const name = message.name ?? id;
  const response = typeof content === "string" ? parsedArguments(content) : { result: content ?? null };
  return { functionResponse: { ...(id === name ? {} : { id }), name, response } };
}
