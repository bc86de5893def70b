/**
 * The contents of Gemini's requests as messages.
 *
 * A content with answers of functions is one tool message for each; all others are one message. They are written back
 * into the contents that they were read from, which keep their role and what else the provider has there. New tool messages
 * that follow each other, or others, go into one content, which is how the provider wants them.
 */
import type { Json } from "../../events/event.ts";
import type { AnnotatedMessage } from "../annotated.ts";
import { isList, isObject, type JsonObject, own, sameJson, text } from "../json.ts";
import { pairEdits } from "../merge-edits.ts";
import { nativeMessage, nativeValue } from "../native.ts";
import { isAnswer, isCall, readAnswer, readCall, readParts, writeAnswer, writeParts } from "./parts.ts";

/** The messages in one content. */
export function readContent(raw: Json): readonly AnnotatedMessage[] {
  const parts = partsOf(raw);
  if (!isObject(raw) || parts === undefined) return [nativeMessage("gemini", "content", raw)];
  if (hasAnswers(parts)) return parts.filter(isAnswer).map(readAnswer);
  const role = raw.role === "model" ? "assistant" : (text(own(raw, "role")) ?? "user");
  const calls = parts.filter(isCall);
  const said = parts.filter((part) => !isCall(part));
  return [
    {
      role,
      ...(said.length === 0 && calls.length > 0 ? {} : { content: readParts(said) }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(readCall) }),
    },
  ];
}

/** Where a message was read from. */
interface Source {
  readonly message: AnnotatedMessage;
  readonly raw: Json;
  /** The place of the content. */
  readonly content: number;
  /** The place of the answer in it; undefined for a message that is the whole content. */
  readonly answer: number | undefined;
}

/** A content of answers that further ones may go into. */
interface OpenAnswers {
  readonly content: number | undefined;
  readonly parts: Json[];
}

/** The contents that say what the messages say. */
export function writeContents(
  messages: readonly AnnotatedMessage[],
  original: readonly Json[],
): readonly Json[] {
  const sources = original.flatMap(sourcesOf);
  const told = sources.map(({ message }) => message);
  const contents: Json[] = [];
  let open: OpenAnswers | undefined;
  for (const { is: message, from } of pairEdits(told, messages)) {
    const source = from === undefined ? undefined : sources[from];
    if (message.role !== "tool" || isSameContent(source, message)) {
      contents.push(writeContent(message, source));
      open = undefined;
      continue;
    }
    const known = source?.answer === undefined ? undefined : source;
    if (open === undefined || (known !== undefined && known.content !== open.content)) {
      open = { content: known?.content, parts: [] };
      contents.push({ ...(isObject(known?.raw) ? known.raw : { role: "user" }), parts: open.parts });
    }
    open.parts.push(writeAnswer(message, answerOf(known)));
  }
  return contents;
}

function sourcesOf(raw: Json, content: number): readonly Source[] {
  const answers = hasAnswers(partsOf(raw) ?? []);
  return readContent(raw).map((message, n) => ({ message, raw, content, answer: answers ? n : undefined }));
}

/** True when the message is a whole content, and as it was. */
function isSameContent(source: Source | undefined, message: AnnotatedMessage): boolean {
  return source !== undefined && source.answer === undefined && sameJson(source.message, message);
}

function writeContent(message: AnnotatedMessage, source: Source | undefined): Json {
  if (source !== undefined && isSameContent(source, message)) return source.raw;
  const native = nativeValue(message);
  if (native !== undefined) return native;
  const role = message.role === "assistant" ? "model" : message.role;
  const raw: JsonObject = source?.answer === undefined && isObject(source?.raw) ? source.raw : {};
  const parts = partsOf(raw);
  if (parts === undefined) return { role, parts: writeParts(message) };
  const sameRole = source?.message.role === message.role;
  return { ...raw, ...(sameRole ? {} : { role }), parts: writeParts(message, parts) };
}

function answerOf(source: Source | undefined) {
  const part = source?.answer === undefined ? undefined : partsOf(source.raw)?.[source.answer];
  return isAnswer(part) ? part : undefined;
}

function partsOf(raw: Json): readonly Json[] | undefined {
  const parts = isObject(raw) ? own(raw, "parts") : undefined;
  return isList(parts) ? parts : undefined;
}

function hasAnswers(parts: readonly Json[]): boolean {
  return parts.length > 0 && parts.every(isAnswer);
}
