/** Keys of cached answers: the digest of everything that the answer depends on, whatever the order of properties. */
import { isList, isObject } from "../../codecs/json.ts";
import type { Json } from "../../events/event.ts";
import { plainData } from "../../events/plain-data.ts";

/** The digest of `parts`. */
export function cacheKey(parts: unknown, sha256: (text: string) => string): string {
  return sha256(JSON.stringify(sorted(plainData(parts))));
}

function sorted(value: Json): Json {
  if (isList(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, sorted(field)]));
}
