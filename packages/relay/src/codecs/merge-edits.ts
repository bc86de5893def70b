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

function mergeLists(original: readonly Json[], before: readonly Json[], after: readonly Json[]): Json {
  return pairEdits(before, after).flatMap(({ is, from }): readonly Json[] => {
    if (from === undefined) return [is];
    const element = mergeEdits(original[from], before[from], is);
    return element === undefined ? [] : [element];
  });
}

/** An element as it is now. */
export interface EditedElement<T> {
  readonly is: T;
  /** The place where it stood before. Undefined: it is new. */
  readonly from: number | undefined;
}

/**
 * Which element of `before` each of `after` was. Elements that are the same at both ends stay; of the middle, those that
 * were there before are the same ones, and of the rest as many as before were edited in place.
 */
export function pairEdits<T extends Json>(
  before: readonly Json[],
  after: readonly T[],
): readonly EditedElement<T>[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && sameJson(before[head], after[head])) head++;
  let tail = 0;
  while (tail < shorter - head && sameJson(before.at(-1 - tail), after.at(-1 - tail))) tail++;
  const shift = before.length - after.length;
  const known = new Set(Array.from(before.keys()).slice(head, before.length - tail));
  const found = after.map((is, n): EditedElement<T> => {
    if (n < head) return { is, from: n };
    if (n >= after.length - tail) return { is, from: n + shift };
    const from = [...known].find((place) => sameJson(before[place], is));
    if (from !== undefined) known.delete(from);
    return { is, from };
  });
  if (shift !== 0) return found;
  return found.map(({ is, from }, n) => ({ is, from: from ?? (known.has(n) ? n : undefined) }));
}
