/** What a provider says in its stream when it gives up: none of the APIs in the box ends a stream by that alone, so it is an event as others. */
import { isObject, type JsonObject, own, text } from "./json.ts";

/** The provider's words; undefined for a chunk that says no such thing. */
export function failureIn(chunk: JsonObject): string | undefined {
  // OpenAI's responses have the words in the event itself, all others in an object of its own.
  const error = own(chunk, "error") ?? (own(chunk, "type") === "error" ? chunk : undefined);
  if (error === undefined || error === null) return undefined;
  if (!isObject(error)) return text(error) ?? UNSAID;
  const [words] = ["message", "status", "code", "type"].flatMap((key) => text(own(error, key)) ?? []);
  return words ?? UNSAID;
}

const UNSAID = "no reason was given";
