/**
 * Requests of Gemini's generateContent.
 *
 * The system's instruction is told as the first message, a content as one message (`contents.ts`), calls of functions
 * apart from what is said (`parts.ts`). What is written follows the original, so that an edit changes nothing beside it.
 */
import type { Json } from "../../events/event.ts";
import type { AnnotatedLlmRequest, AnnotatedMessage } from "../annotated.ts";
import { isList, isObject, type JsonObject, own, present, text } from "../json.ts";
import { type FieldTable, readFields, writeFields, writeSettings } from "../request-fields.ts";
import { readContent, writeContents } from "./contents.ts";
import { readParts, writeParts } from "./parts.ts";
import { readTools, writeTools } from "./tools.ts";

const api = "gemini_generate_content";

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
    messages: [...readInstruction(own(raw, "systemInstruction")), ...contentsOf(raw).flatMap(readContent)],
  };
}

/** The annotation in the words of this one, in the order of the original's contents, parts and tools. */
export function writeRequest(annotated: AnnotatedLlmRequest, original: JsonObject): JsonObject {
  const { messages } = annotated;
  const instruction = instructionOf(messages, original);
  const settings = writeSettings(annotated, table);
  return {
    ...writeFields(annotated, table),
    ...present({
      systemInstruction:
        instruction === undefined
          ? undefined
          : writeInstruction(instruction, own(original, "systemInstruction")),
      generationConfig: Object.keys(settings).length === 0 ? undefined : settings,
      tools: writeTools(annotated.tools, own(original, "tools")),
    }),
    contents: writeContents(instruction === undefined ? messages : messages.slice(1), contentsOf(original)),
  };
}

function readInstruction(instruction: Json | undefined): readonly AnnotatedMessage[] {
  if (!isObject(instruction) || !isList(instruction.parts)) return [];
  return [{ role: "system", content: readParts(instruction.parts) }];
}

/** The first message where it is the system's, unless the original has such a one among its contents. */
function instructionOf(
  messages: readonly AnnotatedMessage[],
  original: JsonObject,
): AnnotatedMessage | undefined {
  const [first] = messages;
  if (first?.role !== "system") return undefined;
  const [content] = contentsOf(original);
  const among = isObject(content) && content.role === "system";
  return among && readInstruction(own(original, "systemInstruction")).length === 0 ? undefined : first;
}

function writeInstruction(message: AnnotatedMessage, instruction: Json | undefined): Json {
  if (!isObject(instruction) || !isList(instruction.parts)) return { parts: writeParts(message) };
  return { ...instruction, parts: writeParts(message, instruction.parts) };
}

function contentsOf(raw: JsonObject): readonly Json[] {
  const contents = own(raw, "contents");
  return isList(contents) ? contents : [];
}
