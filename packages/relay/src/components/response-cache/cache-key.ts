/** Keys of cached answers: the digest of everything that the answer depends on, whatever the order of properties. */
import { isList, isObject } from "../../codecs/json.ts";
import type { Json } from "../../events/event.ts";
import { wholeJson } from "./whole-json.ts";

/** The digest of `parts`; undefined for what JSON doesn't say whole: it has no key. */
export function cacheKey(parts: unknown, sha256: (text: string) => string): string | undefined {
  const text = wholeJson(parts);
  if (text === undefined) return undefined;
  const whole: Json = JSON.parse(text);
  return sha256(JSON.stringify(sorted(whole)));
}

function sorted(value: Json): Json {
  if (isList(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}
