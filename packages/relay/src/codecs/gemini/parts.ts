/**
 * The parts of one content of Gemini's.
 *
 * A content mixes what is said with calls of functions, in any order; a message has them apart. Hence both are written
 * back along the original's parts: each stands where it stood, one that was edited keeps what only the provider knows of
 * it (`thoughtSignature`), new ones come before the next of their kind, or last.
 */
import type { Json } from "../../events/event.ts";
import type { AnnotatedMessage, AnnotatedPart } from "../annotated.ts";
import {
  isList,
  isObject,
  type JsonObject,
  own,
  parsedArguments,
  text,
  without,
  writtenArguments,
} from "../json.ts";
import { mergeEdits, pairEdits } from "../merge-edits.ts";
import { nativePart, nativeValue } from "../native.ts";

const provider = "gemini";

interface CallPart extends JsonObject {
  readonly functionCall: JsonObject;
}

interface AnswerPart extends JsonObject {
  readonly functionResponse: JsonObject;
}

/** True for a call of a function. */
export function isCall(part: Json): part is CallPart {
  return isObject(part) && isObject(part.functionCall);
}

/** True for the answer of one. */
export function isAnswer(part: Json | undefined): part is AnswerPart {
  return isObject(part) && isObject(part.functionResponse);
}

/** What is said. A single text is told as one. */
export function readParts(parts: readonly Json[]): string | readonly AnnotatedPart[] {
  const [only] = parts;
  const plain = parts.length === 1 && isObject(only) && Object.keys(only).length === 1;
  return (plain ? text(own(only, "text")) : undefined) ?? parts.map(readPart);
}

/** A call. Without an id of its own the function's name is its id. */
export function readCall({ functionCall: call }: CallPart): JsonObject {
  const name = text(own(call, "name")) ?? "";
  return {
    id: text(own(call, "id")) ?? name,
    type: "function",
    function: { name, arguments: writtenArguments(own(call, "args")) },
  };
}

/** The answer of a function, as the message of a tool. */
export function readAnswer({ functionResponse: answer }: AnswerPart): AnnotatedMessage {
  const name = text(own(answer, "name")) ?? "";
  const content = JSON.stringify(own(answer, "response") ?? null);
  return { role: "tool", name, tool_call_id: text(own(answer, "id")) ?? name, content };
}

/** What a message says and calls, along the parts that it was read from. */
export function writeParts(message: AnnotatedMessage, original: readonly Json[] = []): readonly Json[] {
  const { content = [], tool_calls } = message;
  const said = typeof content === "string" ? [{ type: "text", text: content }] : content;
  const calls = isList(tool_calls) ? tool_calls.filter(isObject) : [];
  const others = original.filter((part) => !isCall(part));
  const saidParts = writeAlong(others, readPart, said, writePart);
  const callParts = writeAlong(original.filter(isCall), readCall, calls, writeCall);
  const placed = original.flatMap((part) => takeUpTo(isCall(part) ? callParts : saidParts, part));
  return [...placed, ...[...saidParts, ...callParts].map(({ part }) => part)];
}

/** The answer in a message of a tool, over the part that it was read from. */
export function writeAnswer(message: AnnotatedMessage, original?: AnswerPart): Json {
  if (original === undefined) return writtenAnswer(message);
  return mergePart(original, writtenAnswer(readAnswer(original), original), writtenAnswer(message, original));
}

interface WrittenPart {
  readonly part: Json;
  /** The part that it was. */
  readonly was: Json | undefined;
}

/** One kind of part: the annotations of it, each over the original's part that it was read from. */
function writeAlong<P extends Json, T extends Json>(
  originals: readonly P[],
  read: (part: P) => T,
  annotations: readonly T[],
  write: (annotation: T, original?: P) => Json,
): WrittenPart[] {
  return pairEdits(originals.map(read), annotations).map(({ is, from }) => {
    const was = from === undefined ? undefined : originals[from];
    if (was === undefined) return { part: write(is), was };
    return { part: mergePart(was, write(read(was), was), write(is, was)), was };
  });
}

/** All up to the one that was `original`; none when it is gone, or was taken already. */
function takeUpTo(parts: WrittenPart[], original: Json): readonly Json[] {
  const place = parts.findIndex(({ was }) => was === original);
  return parts.splice(0, place + 1).map(({ part }) => part);
}

/** A part of another kind keeps nothing of what it replaces. */
function mergePart(original: Json, before: Json, after: Json): Json {
  const merged = mergeEdits(original, before, after) ?? after;
  return merged === original || kindOf(original) === kindOf(after) ? merged : after;
}

function kindOf(part: Json): string {
  if (!isObject(part)) return "unknown";
  if (isCall(part)) return "functionCall";
  if (typeof part.text === "string") return part.thought === true ? "thought" : "text";
  return Object.keys(part)[0] ?? "unknown";
}

function readPart(raw: Json): AnnotatedPart {
  const kind = kindOf(raw);
  return isObject(raw) && kind === "text" ? { ...raw, type: "text" } : nativePart(provider, kind, raw);
}

function writePart(part: AnnotatedPart): Json {
  return nativeValue(part) ?? without(part, "type");
}

function writeCall(call: JsonObject, original?: CallPart): Json {
  const fn = own(call, "function");
  const { name = "", arguments: args } = isObject(fn) ? fn : {};
  const id = writtenId(own(call, "id"), name, original?.functionCall);
  return { functionCall: { ...id, name, args: parsedArguments(args) } };
}

function writtenAnswer(message: AnnotatedMessage, original?: AnswerPart): Json {
  const { tool_call_id, content } = message;
  const name = message.name ?? tool_call_id ?? "";
  const response = typeof content === "string" ? parsedArguments(content) : { result: content ?? null };
  return {
    functionResponse: { ...writtenId(tool_call_id, name, original?.functionResponse), name, response },
  };
}

/** An id that says no more than the name is left out, unless the original had one. */
function writtenId(id: Json | undefined, name: Json, original: JsonObject = {}): JsonObject {
  return id === undefined || (id === name && !Object.hasOwn(original, "id")) ? {} : { id };
}
