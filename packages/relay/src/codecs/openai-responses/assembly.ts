/**
 * Streams of OpenAI's responses: the last event has the whole response. Where a stream breaks before it, what was said of
 * finished items so far is the response.
 */
import type { Json } from "../../events/event.ts";
import type { StreamAssembly } from "../codec.ts";
import { isObject, type JsonObject, number, own } from "../json.ts";
import { readFailure } from "./response.ts";

const last: readonly unknown[] = ["response.completed", "response.incomplete", "response.failed"];

/** Puts the events of one stream together. */
export class ResponsesAssembly implements StreamAssembly {
  readonly #items = new Map<number, Json>();
  #head: JsonObject = {};
  #complete = false;

  get complete(): boolean {
    return this.#complete;
  }

  get failure(): string | undefined {
    return readFailure(this.#head);
  }

  add(event: unknown): void {
    if (!isObject(event)) return;
    const { type, response, item } = event;
    if (isObject(response)) this.#head = response;
    if (last.includes(type)) this.#complete = true;
    if (type === "response.output_item.done" && isObject(item))
      this.#items.set(number(own(event, "output_index")) ?? this.#items.size, item);
  }

  response(): Json {
    if (this.#complete) return this.#head;
    return { ...this.#head, output: [...this.#items.values()] };
  }
}
