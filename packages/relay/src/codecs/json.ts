/** JSON as codecs walk through it. Payloads come from programs: what isn't JSON in them passes through untouched. */
import type { Json } from "../events/event.ts";

/** An object of JSON. */
export type JsonObject = { readonly [key: string]: Json };

/** True for an object that is no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for an array. */
export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The property, unless it is inherited. */
export function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The object without some of its properties. */
export function without(object: JsonObject, ...keys: readonly string[]): JsonObject {
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(object)) if (!keys.includes(key)) define(copy, key, object[key] ?? null);
  return copy;
}

/** The object without what is undefined. */
export function present(object: { readonly [key: string]: Json | undefined }): JsonObject {
  const copy: Record<string, Json> = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value !== undefined) define(copy, key, value);
  }
  return copy;
}

/** Assigning `__proto__` would change what the copy inherits. */
function define(copy: Record<string, Json>, key: string, value: Json): void {
  if (key !== "__proto__") copy[key] = value;
  else Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true });
}

/** The value as a text, or undefined. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The value as a finite number, or undefined. */
export function number(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The objects among the elements of a list; none when it isn't one. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return isList(value) ? value.filter(isObject) : [];
}

/** True when both say the same; the order of properties says nothing. */
export function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  if (Object.is(one, other)) return true;
  if (isList(one) && isList(other))
    return one.length === other.length && one.every((element, n) => sameJson(element, other[n]));
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && sameJson(one[key], other[key]));
}

/** What a model wrote as the arguments of a call: JSON in a text. What can't be read stays the text that it is. */
export function parsedArguments(value: Json | undefined): Json {
  if (typeof value !== "string") return value ?? null;
  try {
    const parsed: Json = JSON.parse(value);
    return parsed;
  } catch {
    return value;
  }
}

/** The other way: a text stays as it is. */
export function writtenArguments(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? {});
}
