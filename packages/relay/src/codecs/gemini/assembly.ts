/** Streams of Gemini: each chunk is a response with the parts that are new; the last one's usage is the whole's. */
import type { Json } from "../../events/event.ts";
import type { StreamAssembly } from "../codec.ts";
import { isList, isObject, type JsonObject, number, objectsOf, own, without } from "../json.ts";
import { isBlocked } from "./response.ts";

interface Candidate {
  fields: JsonObject;
  role: Json;
  readonly parts: Json[];
}

/** Puts the chunks of one stream together. */
export class GeminiAssembly implements StreamAssembly {
  readonly #candidates = new Map<number, Candidate>();
  #head: JsonObject = {};

  /** True when each candidate has said why it ends, or the prompt was blocked, and there are none. */
  get complete(): boolean {
    const candidates = [...this.#candidates.values()];
    if (candidates.length === 0) return isBlocked(this.#head);
    return candidates.every(({ fields }) => typeof fields.finishReason === "string");
  }

  add(chunk: unknown): void {
    if (!isObject(chunk)) return;
    this.#head = { ...this.#head, ...without(chunk, "candidates") };
    for (const candidate of objectsOf(own(chunk, "candidates"))) this.#addCandidate(candidate);
  }

  response(): Json {
    const candidates = Array.from(this.#candidates.values(), ({ fields, role, parts }) => ({
      ...fields,
      content: { role, parts },
    }));
    return { ...this.#head, candidates };
  }

  #addCandidate(candidate: JsonObject): void {
    const index = number(own(candidate, "index")) ?? 0;
    const known = this.#candidates.get(index) ?? { fields: {}, role: "model", parts: [] };
    this.#candidates.set(index, known);
    known.fields = { ...known.fields, ...without(candidate, "content") };
    const content = own(candidate, "content");
    const parts = isObject(content) ? own(content, "parts") : undefined;
    if (isList(parts)) for (const part of parts) addPart(known.parts, part);
  }
}

/** Texts of one kind that follow each other are one text. */
function addPart(parts: Json[], part: Json): void {
  const last = parts.at(-1);
  const joined =
    isObject(last) && isObject(part) && isText(last) && isText(part) && last.thought === part.thought;
  if (joined) parts[parts.length - 1] = { ...last, ...part, text: `${last.text}${part.text}` };
  else parts.push(part);
}

function isText(part: JsonObject): boolean {
  return typeof part.text === "string";
}
