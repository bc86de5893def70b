/** Streams of OpenAI's chat completions: each chunk says what is new of each choice. */
import type { Json } from "../../events/event.ts";
import type { StreamAssembly } from "../codec.ts";
import { isObject, type JsonObject, number, objectsOf, own, text, without } from "../json.ts";

interface Call {
  id: string;
  name: string;
  arguments: string;
}

/** A choice as far as it has come. */
class Choice {
  readonly #message: { [key: string]: Json } = { role: "assistant" };
  readonly #texts = new Map<string, string>();
  readonly #calls = new Map<number, Call>();
  #rest: JsonObject = {};
  #reason: Json = null;

  get finished(): boolean {
    return this.#reason !== null;
  }

  add(choice: JsonObject): void {
    const delta = own(choice, "delta");
    this.#rest = { ...this.#rest, ...without(choice, "delta", "finish_reason") };
    this.#reason = own(choice, "finish_reason") ?? this.#reason;
    if (!isObject(delta)) return;
    for (const [key, value] of Object.entries(delta)) {
      if (key === "tool_calls") for (const call of objectsOf(value)) this.#addCall(call);
      else if (key !== "role" && typeof value === "string")
        this.#texts.set(key, (this.#texts.get(key) ?? "") + value);
      else if (value !== null) this.#message[key] = value;
    }
  }

  whole(): Json {
    const message: JsonObject = {
      ...this.#message,
      content: this.#texts.get("content") ?? null,
      ...Object.fromEntries(this.#texts),
    };
    const calls = Array.from(this.#calls.values(), ({ id, ...fn }) => ({
      id,
      type: "function",
      function: fn,
    }));
    return {
      ...this.#rest,
      message: calls.length === 0 ? message : { ...message, tool_calls: calls },
      finish_reason: this.#reason,
    };
  }

  #addCall(delta: JsonObject): void {
    const index = number(own(delta, "index")) ?? this.#calls.size;
    const call = this.#calls.get(index) ?? { id: "", name: "", arguments: "" };
    const fn = own(delta, "function");
    call.id = text(own(delta, "id")) ?? call.id;
    if (isObject(fn)) {
      call.name += text(own(fn, "name")) ?? "";
      call.arguments += text(own(fn, "arguments")) ?? "";
    }
    this.#calls.set(index, call);
  }
}

/** Puts the chunks of one stream together. */
export class ChatAssembly implements StreamAssembly {
  readonly #choices = new Map<number, Choice>();
  #head: JsonObject = {};

  /** True when each choice has said why it ends. The usage comes in a chunk behind that, without choices. */
  get complete(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every(({ finished }) => finished);
  }

  add(chunk: unknown): void {
    if (!isObject(chunk)) return;
    const { usage, ...head } = without(chunk, "choices");
    this.#head = { ...this.#head, ...head, ...(isObject(usage) ? { usage } : {}) };
    for (const choice of objectsOf(own(chunk, "choices"))) {
      const index = number(own(choice, "index")) ?? 0;
      const known = this.#choices.get(index) ?? new Choice();
      this.#choices.set(index, known);
      known.add(choice);
    }
  }

  response(): Json {
    return {
      ...this.#head,
      object: "chat.completion",
      choices: Array.from(this.#choices.values(), (choice) => choice.whole()),
    };
  }
}
