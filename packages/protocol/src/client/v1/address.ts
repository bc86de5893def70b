/**
 * Keys and names of actors, and how a key is written in a URL.
 *
 * A key is a list of strings; two keys are the same when their strings are, unit by unit: no normalisation, no folding
 * of case. What `encodeKey` writes goes into a URL's query as it is, and `decodeKey` takes it from there undecoded
 * (`URLSearchParams` would turn a comma inside a component into one that separates).
 */
import { keyErrors } from "../../errors.ts";
import { limits } from "../../limits.ts";

/** An empty component: without it `[""]` would be written as `[]` is. */
const EMPTY = "~";
const TILDE = "%7E";

/** The text of a key for a URL's query, percent-encoded; "" for the empty key. Throws what `checkKey` throws. */
export function encodeKey(key: readonly string[]): string {
  checkKey(key);
  return key.map(encodeComponent).join(",");
}

/**
 * The key of a text by `encodeKey`, taken from the URL undecoded; `undefined` is the empty key. Throws `key.malformed`
 * and what `checkKey` throws.
 */
export function decodeKey(text: string | undefined): string[] {
  if (text === undefined || text === "") return [];
  // Each byte of a key takes three characters at most: what is longer is refused before it is split.
  const longest = limits.keyBytes * 3 + limits.keyComponents * 2;
  if (text.length > longest) throw keyErrors.tooLong("bytes", text.length, limits.keyBytes);
  const key = text.split(",").map(decodeComponent);
  checkKey(key);
  return key;
}

/**
 * Returns when `key` can be a key. Throws `key.not_a_string`, `key.malformed` (a lone surrogate),
 * `key.component_too_long` or `key.too_long`.
 */
export function checkKey(key: readonly unknown[]): asserts key is readonly string[] {
  if (key.length > limits.keyComponents) {
    throw keyErrors.tooLong("components", key.length, limits.keyComponents);
  }
  let total = 0;
  for (let index = 0; index < key.length; index++) {
    const component = key[index];
    if (typeof component !== "string") throw keyErrors.notAString(index, describe(component));
    const bytes = utf8Length(component);
    if (bytes > limits.keyComponentBytes) {
      throw keyErrors.componentTooLong(index, bytes, limits.keyComponentBytes);
    }
    if (!component.isWellFormed())
      throw keyErrors.malformed(`component ${index} has half of a surrogate pair`);
    total += bytes;
  }
  if (total > limits.keyBytes) throw keyErrors.tooLong("bytes", total, limits.keyBytes);
}

/** Returns when `name` can be an actor's name. Throws `name.malformed`. */
export function checkName(name: unknown): asserts name is string {
  if (typeof name !== "string") throw keyErrors.nameMalformed(`it is ${describe(name)}, not a string`);
  if (name === "") throw keyErrors.nameMalformed("it is empty");
  if (name.length > limits.actorNameLength) {
    throw keyErrors.nameMalformed(`it has ${name.length} characters; the limit is ${limits.actorNameLength}`);
  }
  if (!name.isWellFormed()) throw keyErrors.nameMalformed("it has half of a surrogate pair");
}

/** A key as users give it, checked and copied: a string is a key of one component, `undefined` the empty key. */
export function normalizeKey(key: string | readonly string[] | undefined): string[] {
  if (key === undefined) return [];
  if (typeof key !== "string" && !Array.isArray(key)) {
    throw keyErrors.malformed(`it is ${describe(key)}, not a string or an array of strings`);
  }
  const components = typeof key === "string" ? [key] : [...key];
  checkKey(components);
  return components;
}

function encodeComponent(component: string): string {
  if (component === "") return EMPTY;
  return component === "~" ? TILDE : encodeURIComponent(component);
}

function decodeComponent(component: string): string {
  if (component === EMPTY) return "";
  if (!component.includes("%")) return component;
  try {
    return decodeURIComponent(component);
  } catch (cause) {
    throw keyErrors.malformed("a percent sign isn't followed by the bytes of a character", cause);
  }
}

/** The bytes of `text` in UTF-8, half a surrogate pair counted as three. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 2;
      index++;
    } else bytes += 2;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

function describe(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}
