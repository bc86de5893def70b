/**
 * Writing an annotated request back: a three-way merge.
 *
 * Decoding says a request in fewer words than the provider has, so it can't be written back from the annotation alone.
 * Instead two writings are compared, that of the annotation as it was decoded and that of the annotation as it is now:
 * where they agree nothing was edited, and the original's own value stands, whatever it is, unknown fields and order of
 * properties included. Where they differ the edit goes in, as deep as it reaches. Hence `encode(decode(x), x)` is x, also
 * for what a codec has never heard of, and no codec needs to be an inverse of itself.
 */
import type { Json } from "../events/event.ts";
import { isList, isObject, type JsonObject, own, sameJson } from "./json.ts";

/** `original` with what changed from `before` to `after`. Undefined: it is gone. */
export function mergeEdits(
  original: Json | undefined,
  before: Json | undefined,
  after: Json | undefined,
): Json | undefined {
  if (sameJson(before, after)) return original;
  if (isObject(original) && isObject(before) && isObject(after)) return mergeObjects(original, before, after);
  if (isList(original) && isList(before) && isList(after) && original.length === before.length)
    return mergeLists(original, before, after);
  return after;
}

/** As `mergeEdits`, for objects: properties keep their places, new ones come last. */
export function mergeObjects(original: JsonObject, before: JsonObject, after: JsonObject): JsonObject {
  const keys = new Set([...Object.keys(original), ...Object.keys(after)]);
  const entries = Array.from(keys).flatMap((key): readonly (readonly [string, Json])[] => {
    const merged = mergeEdits(own(original, key), own(before, key), own(after, key));
    return merged === undefined ? [] : [[key, merged]];
  });
  return Object.fromEntries(entries);
}

/**
 * Elements that are the same at both ends stay. Of the middle, as many as before were edited in place; of more or fewer,
 * those that were there before are the originals, and the rest is new.
 */
function mergeLists(original: readonly Json[], before: readonly Json[], after: readonly Json[]): Json {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && sameJson(before[head], after[head])) head++;
  let tail = 0;
  while (tail < shorter - head && sameJson(before.at(-1 - tail), after.at(-1 - tail))) tail++;
  const middle = after.slice(head, after.length - tail);
  const known = before.slice(head, before.length - tail).map((was, n) => ({ was, n: head + n, used: false }));
  const merged = middle.flatMap((is, n): readonly Json[] => {
    const place =
      middle.length === known.length ? known[n] : known.find((k) => !k.used && sameJson(k.was, is));
    if (place === undefined) return [is];
    place.used = true;
    const element = mergeEdits(original[place.n], place.was, is);
    return element === undefined ? [] : [element];
  });
  return [...original.slice(0, head), ...merged, ...original.slice(original.length - tail)];
}
