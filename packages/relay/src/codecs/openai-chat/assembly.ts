/** Streams of OpenAI's chat completions: each chunk says what is new of each choice. */
import type { Json } from "../../events/event.ts";
import type { StreamAssembly } from "../codec.ts";
import { isList, isObject, type JsonObject, number, objectsOf, own, without } from "../json.ts";

/** What of an object comes in pieces. All else comes whole, and the last is what it is. */
const growing: ReadonlySet<string> = new Set([
  ...["arguments", "input", "text", "summary", "data", "transcript", "signature", "name"],
]);
/** Of a message everything that is a text comes in pieces, but this. */
const whole: ReadonlySet<string> = new Set(["role"]);

/** A choice as far as it has come. */
class Choice {
  #message: JsonObject = { role: "assistant" };
  readonly #calls = new Map<number, JsonObject>();
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
    for (const call of objectsOf(own(delta, "tool_calls"))) this.#addCall(call);
    const message = this.#message;
    const news = Object.entries(without(delta, "tool_calls")).flatMap(([key, value]) => {
      const said = joined(own(message, key), value, !whole.has(key));
      return said === undefined ? [] : [[key, said] as const];
    });
    this.#message = { ...message, ...Object.fromEntries(news) };
  }

  whole(): Json {
    const message: JsonObject = { ...this.#message, content: own(this.#message, "content") ?? null };
    const calls = [...this.#calls.values()];
    return {
      ...this.#rest,
      message: calls.length === 0 ? message : { ...message, tool_calls: calls },
      finish_reason: this.#reason,
    };
  }

  #addCall(delta: JsonObject): void {
    const index = number(own(delta, "index")) ?? this.#calls.size;
    const known = this.#calls.get(index) ?? { id: "", type: "function" };
    const call = joinedObjects(known, without(delta, "index"));
    // Some providers leave a call's name out of its first piece, or all its arguments.
    const fn = own(call, "function");
    const filled = isObject(fn) ? { function: { name: "", arguments: "", ...fn } } : {};
    this.#calls.set(index, { ...call, ...filled });
  }
}

/** A value with what a piece says of it; undefined where it says nothing. */
function joined(known: Json | undefined, piece: Json, grows: boolean): Json | undefined {
  if (piece === null) return known;
  if (typeof piece === "string" && typeof known === "string" && grows) return known + piece;
  if (isList(piece) && isList(known)) return piece.reduce<readonly Json[]>(joinedElement, known);
  if (isObject(piece) && isObject(known)) return joinedObjects(known, piece);
  return piece;
}

function joinedObjects(known: JsonObject, piece: JsonObject): JsonObject {
  const news = Object.entries(piece).flatMap(([key, value]) => {
    const said = joined(own(known, key), value, growing.has(key));
    return said === undefined ? [] : [[key, said] as const];
  });
  return { ...known, ...Object.fromEntries(news) };
}

/** Elements with an index are pieces of the one that has it; others are new. */
function joinedElement(list: readonly Json[], piece: Json): readonly Json[] {
  const index = isObject(piece) ? own(piece, "index") : undefined;
  const place =
    index === undefined ? -1 : list.findIndex((one) => isObject(one) && own(one, "index") === index);
  const known = list[place];
  if (!isObject(piece) || !isObject(known)) return [...list, piece];
  return list.with(place, joinedObjects(known, piece));
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
