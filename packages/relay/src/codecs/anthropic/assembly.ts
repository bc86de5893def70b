/**
 * Streams of Anthropic's messages: the message begins, blocks begin, grow and end, then the message's reason and its final
 * usage come, whose fields overrule those of the beginning.
 */
import type { Json } from "../../events/event.ts";
import type { StreamAssembly } from "../codec.ts";
import { isObject, type JsonObject, number, own, parsedArguments, text, without } from "../json.ts";

/** A block as far as it has come. */
interface Block {
  fields: JsonObject;
  /** The JSON of a call's arguments comes in pieces. */
  input: string;
}

/** Which field of a block a delta adds to. */
const grown: Readonly<Record<string, string>> = {
  text_delta: "text",
  thinking_delta: "thinking",
  signature_delta: "signature",
};

/** Puts the events of one stream together. */
export class MessagesAssembly implements StreamAssembly {
  readonly #blocks = new Map<number, Block>();
  #message: JsonObject = {};
  #complete = false;

  get complete(): boolean {
    return this.#complete;
  }

  add(event: unknown): void {
    if (!isObject(event)) return;
    const index = number(own(event, "index")) ?? 0;
    const { type, message, content_block: block, delta, usage } = event;
    if (type === "message_start" && isObject(message)) this.#message = message;
    if (type === "content_block_start" && isObject(block))
      this.#blocks.set(index, { fields: block, input: "" });
    if (type === "content_block_delta" && isObject(delta)) this.#grow(index, delta);
    if (type === "message_delta") this.#finish(delta, usage);
    if (type === "message_stop") this.#complete = true;
  }

  response(): Json {
    return { ...this.#message, content: Array.from(this.#blocks.values(), whole) };
  }

  #grow(index: number, delta: JsonObject): void {
    const block = this.#blocks.get(index);
    if (block === undefined) return;
    const field = grown[String(delta.type)];
    if (field !== undefined) {
      const more = text(own(delta, field)) ?? "";
      block.fields = { ...block.fields, [field]: (text(own(block.fields, field)) ?? "") + more };
    }
    if (delta.type === "input_json_delta") block.input += text(own(delta, "partial_json")) ?? "";
    if (delta.type === "citations_delta") {
      const { citations } = block.fields;
      const known: readonly Json[] = Array.isArray(citations) ? citations : [];
      block.fields = { ...block.fields, citations: [...known, delta.citation ?? null] };
    }
  }

  #finish(delta: Json | undefined, usage: Json | undefined): void {
    const before = own(this.#message, "usage");
    const changed = isObject(delta) ? without(delta, "type") : {};
    const counted = { ...(isObject(before) ? before : {}), ...(isObject(usage) ? usage : {}) };
    this.#message = { ...this.#message, ...changed, usage: counted };
  }
}

function whole({ fields, input }: Block): Json {
  return input === "" ? fields : { ...fields, input: parsedArguments(input) };
}
