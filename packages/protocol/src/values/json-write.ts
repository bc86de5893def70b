/**
 * Values as JSON text.
 *
 * What JSON can say is said as it is. The rest is an array whose first element names a type: `["$Date", 0]`,
 * `["$Map", [[k, v]]]`. So that a real array can't be taken for one, a first element that is a string starting with
 * "$" gets another "$" in front.
 *
 * Most calls carry plain JSON, so each direction first finds out, in one cheap pass, whether the engine's own JSON does
 * the whole job; see `isPlain` here and `mayNeedWalk` in `json-read.ts`.
 */
import { limits } from "../limits.ts";
import { toBase64 } from "./base64.ts";
import { isBigintInLimit } from "./bigint.ts";
import { errorParts } from "./error-value.ts";
import { explain, REFUSED } from "./explain.ts";
import { hasSymbols, kindOf } from "./kind.ts";
import { unwrap } from "./raw.ts";
import { bytesOf, viewType } from "./views.ts";

/**
 * The JSON text of `value`. Throws TroupeErrors of group `value` that name the place, starting from `path` (default
 * "value").
 */
export function encodeJson(value: unknown, path = "value"): string {
  return encodeJsonWithin(value, path, limits.valueDepth);
}

/** `encodeJson` with a depth of its own: a frame adds levels around the values of users. */
export function encodeJsonWithin(value: unknown, path: string, maxDepth: number): string {
  if (typeof value === "number" && isPlainNumber(value)) return `${value}`;
  if (typeof value === "string" || typeof value === "boolean" || value === null) return JSON.stringify(value);
  try {
    // A state proxy's target is read at the speed of a plain object.
    const target = typeof value === "object" ? unwrap(value) : value;
    if (typeof target === "object" && isPlainObject(target, maxDepth, limits.valueEntries) >= 0) {
      return JSON.stringify(target);
    }
    return JSON.stringify(convert(target, { left: limits.valueEntries, maxDepth }, 0));
  } catch (cause) {
    return explain(value, path, { maxDepth, cause });
  }
}

function isPlainNumber(value: number): boolean {
  return value === 0 ? 1 / value > 0 : value - value === 0;
}

/** The entries left over when JSON.stringify says all of `value`; negative when it doesn't, or on any doubt. */
function isPlain(value: unknown, depth: number, left: number): number {
  switch (typeof value) {
    case "string":
    case "boolean":
      return left;
    case "number":
      return isPlainNumber(value) ? left : -1;
    case "object":
      if (value === null) return left;
      return unwrap(value) === value ? isPlainObject(value, depth, left) : -1;
    default:
      return -1;
  }
}

function isPlainObject(value: object, depth: number, left: number): number {
  if (depth === 0) return -1;
  if (Array.isArray(value)) return isPlainArray(value, depth, left);
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || hasSymbols(value)) return -1;
  let rest = left;
  // Inherited properties show up here only in a polluted process; they are checked and then not written.
  for (const key in value) {
    if (key === "__proto__") return -1;
    const property = (value as Record<string, unknown>)[key];
    // Most properties are strings: not a call for each.
    rest = typeof property === "string" ? rest - 1 : isPlain(property, depth - 1, rest - 1);
    if (rest < 0) return -1;
  }
  return rest;
}

function isPlainArray(value: readonly unknown[], depth: number, left: number): number {
  const first = value[0];
  if (typeof first === "string" && first.charCodeAt(0) === DOLLAR) return -1;
  let rest = left;
  for (let index = 0; index < value.length; index++) {
    const element = value[index];
    rest = typeof element === "string" ? rest - 1 : isPlain(element, depth - 1, rest - 1);
    if (rest < 0) return -1;
  }
  return rest;
}

const DOLLAR = 36;

interface Bounds {
  left: number;
  readonly maxDepth: number;
}

/** A tree that JSON.stringify writes as `value`. */
function convert(value: unknown, bounds: Bounds, level: number): unknown {
  switch (typeof value) {
    case "undefined":
      return ["$Undefined"];
    case "bigint":
      if (!isBigintInLimit(value)) throw REFUSED;
      return ["$BigInt", value.toString()];
    case "number":
      return isPlainNumber(value) ? value : ["$Number", Object.is(value, -0) ? "-0" : `${value}`];
    case "function":
    case "symbol":
      throw REFUSED;
    case "object":
      return value === null ? null : convertObject(unwrap(value), bounds, level);
    default:
      return value;
  }
}

function convertObject(value: object, bounds: Bounds, level: number): unknown {
  const kind = kindOf(value);
  switch (kind) {
    case "array":
      return convertArray(value as readonly unknown[], bounds, level);
    case "object":
      return convertRecord(value as Record<string, unknown>, bounds, level);
    case "map":
      return ["$Map", convertMap(value as Map<unknown, unknown>, bounds, level)];
    case "set":
      spend(bounds, (value as Set<unknown>).size, level);
      return ["$Set", Array.from(value as Set<unknown>, (entry) => convert(entry, bounds, level + 1))];
    case "error":
      return ["$Error", convertRecord(errorParts(value as Error), bounds, level)];
    case "date":
      return ["$Date", Date.prototype.getTime.call(value)];
    case "regexp":
      return ["$RegExp", [(value as RegExp).source, (value as RegExp).flags]];
    case "buffer":
      return ["$ArrayBuffer", toBase64(new Uint8Array(value as ArrayBuffer))];
    case "view": {
      const type = viewType(value as ArrayBufferView);
      if (type === undefined) throw REFUSED;
      return [`$${type.name}`, toBase64(bytesOf(value as ArrayBufferView))];
    }
    case "unsupported":
      throw REFUSED;
  }
}

function spend(bounds: Bounds, entries: number, level: number): void {
  if (level >= bounds.maxDepth) throw REFUSED;
  bounds.left -= entries;
  if (bounds.left < 0) throw REFUSED;
}

function convertArray(value: readonly unknown[], bounds: Bounds, level: number): unknown[] {
  const length = value.length;
  spend(bounds, length, level);
  const result: unknown[] = [];
  for (let index = 0; index < length; index++) result.push(convert(value[index], bounds, level + 1));
  const first = result[0];
  if (typeof first === "string" && first.charCodeAt(0) === DOLLAR) result[0] = `$${first}`;
  return result;
}

function convertRecord(
  value: Record<string, unknown>,
  bounds: Bounds,
  level: number,
): Record<string, unknown> {
  const keys = Object.keys(value);
  spend(bounds, keys.length, level);
  if (hasSymbols(value)) throw REFUSED;
  const result: Record<string, unknown> = {};
  for (const key of keys) {
    if (key === "__proto__") throw REFUSED;
    result[key] = convert(value[key], bounds, level + 1);
  }
  return result;
}

function convertMap(value: Map<unknown, unknown>, bounds: Bounds, level: number): unknown[] {
  spend(bounds, value.size * 2, level);
  const result: unknown[] = [];
  for (const [key, entry] of value) {
    result.push([convert(key, bounds, level + 1), convert(entry, bounds, level + 1)]);
  }
  return result;
}
