/**
 * JSON text as values: the way back from `json-write.ts`.
 */
import { valueErrors } from "../errors.ts";
import { limits } from "../limits.ts";
import { revive } from "./json-revive.ts";

/** The value of a text by `encodeJson`. Throws TroupeErrors of group `value`, whatever the text. */
export function decodeJson(text: string): unknown {
  return decodeJsonWithin(text, limits.valueDepth);
}

/** `decodeJson` with a depth of its own. */
export function decodeJsonWithin(text: string, maxDepth: number): unknown {
  if (text.length > SAFE_LENGTH) checkNesting(text, maxDepth);
  const parsed = parse(text);
  if (typeof parsed !== "object" || parsed === null) return parsed;
  if (mayNeedWalk(text)) return revive(parsed, maxDepth);
  // Each level takes two brackets.
  if (text.length <= maxDepth * 2) return parsed;
  return isShallow(parsed, maxDepth) ? parsed : revive(parsed, maxDepth);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw valueErrors.malformed("not JSON", cause);
  }
}

/**
 * False when the text can hold no special, no forbidden key and nothing spelt with escapes; then only the depth is
 * left to check. Searches for one character run at the speed of memory, those for several don't: so the first come
 * first.
 */
function mayNeedWalk(text: string): boolean {
  return (
    text.length > limits.valueEntries ||
    hasAfter(text, "$", '"$') ||
    hasAfter(text, "_", "__proto__") ||
    // The letters of both, spelt with escapes, are all below \u0100.
    hasAfter(text, "\\", "\\u00")
  );
}

function hasAfter(text: string, letter: string, word: string): boolean {
  const at = text.indexOf(letter);
  return at >= 0 && text.indexOf(word, Math.max(0, at - 1)) >= 0;
}

/** True when nothing in plain parsed JSON is nested deeper than `depth`. */
function isShallow(value: object, depth: number): boolean {
  if (depth === 0) return false;
  if (Array.isArray(value)) {
    for (const element of value as readonly unknown[]) {
      if (typeof element === "object" && element !== null && !isShallow(element, depth - 1)) return false;
    }
    return true;
  }
  for (const key in value) {
    const property = (value as Record<string, unknown>)[key];
    if (typeof property === "object" && property !== null && !isShallow(property, depth - 1)) return false;
  }
  return true;
}

/** A text up to this long may nest as it likes: the parser's memory for it is small. */
const SAFE_LENGTH = 64 * 1024;
const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/**
 * Refuses a long text that nests deeper than any value can, before the parser spends memory on each of a million
 * brackets. A level of a value is at most three of JSON (a Map: tag, entries, entry).
 */
function checkNesting(text: string, maxDepth: number): void {
  const most = maxDepth * 3 + 2;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (++depth > most) throw valueErrors.tooDeep("value", limits.valueDepth);
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      depth--;
    }
  }
}

/** The index of the quote that ends the string which starts at `start`; the text's length when none does. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote > 0 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote < 0 ? text.length : quote;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
