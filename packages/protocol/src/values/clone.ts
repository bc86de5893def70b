import { limits } from "../limits.ts";
import { isBigintInLimit } from "./bigint.ts";
import { errorOf, errorParts } from "./error-value.ts";
import { explain, REFUSED } from "./explain.ts";
import { hasSymbols, kindOf } from "./kind.ts";
import { unwrap } from "./raw.ts";
import { bytesOf, ownBuffer, viewType } from "./views.ts";

/**
 * A validated deep copy of `value`: what it takes, the wire takes, and what it refuses, the wire refuses. The copy is
 * what a remote receiver would get: built-ins are real built-ins (a Buffer becomes a Uint8Array, a view its own part
 * alone), objects plain ones, holes undefined. Throws TroupeErrors of group `value` that name the place, starting from
 * `path` (default "value").
 */
export function cloneValue<T>(value: T, path = "value"): T {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  try {
    return copy(value, 0, { left: limits.valueEntries }) as T;
  } catch (cause) {
    return explain(value, path, { cause });
  }
}

/** Counts entries down over one whole value. */
interface Budget {
  left: number;
}

function copy(value: unknown, level: number, budget: Budget): unknown {
  if (typeof value === "object") return value === null ? null : copyObject(unwrap(value), level, budget);
  if (typeof value === "function" || typeof value === "symbol") throw REFUSED;
  if (typeof value === "bigint" && !isBigintInLimit(value)) throw REFUSED;
  return value;
}

function copyObject(value: object, level: number, budget: Budget): unknown {
  const kind = kindOf(value);
  switch (kind) {
    case "array":
      return copyArray(value as readonly unknown[], level, budget);
    case "object":
      return copyRecord(value as Record<string, unknown>, level, budget);
    case "map":
      return copyMap(value as Map<unknown, unknown>, level, budget);
    case "set":
      return copySet(value as Set<unknown>, level, budget);
    case "error":
      return errorOf(copyRecord(errorParts(value as Error), level, budget));
    case "date":
      return new Date(Date.prototype.getTime.call(value));
    case "regexp":
      return new RegExp((value as RegExp).source, (value as RegExp).flags);
    case "buffer":
      return (value as ArrayBuffer).slice(0);
    case "view":
      return copyView(value as ArrayBufferView);
    case "unsupported":
      throw REFUSED;
  }
}

function spend(budget: Budget, entries: number, level: number): void {
  if (level >= limits.valueDepth) throw REFUSED;
  budget.left -= entries;
  if (budget.left < 0) throw REFUSED;
}

function copyArray(value: readonly unknown[], level: number, budget: Budget): unknown[] {
  const length = value.length;
  spend(budget, length, level);
  const result: unknown[] = [];
  for (let index = 0; index < length; index++) result.push(copy(value[index], level + 1, budget));
  return result;
}

function copyRecord(value: Record<string, unknown>, level: number, budget: Budget): Record<string, unknown> {
  const keys = Object.keys(value);
  spend(budget, keys.length, level);
  if (hasSymbols(value)) throw REFUSED;
  const result: Record<string, unknown> = {};
  for (const key of keys) {
    if (key === "__proto__") throw REFUSED;
    result[key] = copy(value[key], level + 1, budget);
  }
  return result;
}

function copyMap(value: Map<unknown, unknown>, level: number, budget: Budget): Map<unknown, unknown> {
  spend(budget, value.size * 2, level);
  const result = new Map<unknown, unknown>();
  for (const [key, entry] of value) result.set(copy(key, level + 1, budget), copy(entry, level + 1, budget));
  return result;
}

function copySet(value: Set<unknown>, level: number, budget: Budget): Set<unknown> {
  spend(budget, value.size, level);
  const result = new Set<unknown>();
  for (const entry of value) result.add(copy(entry, level + 1, budget));
  return result;
}

function copyView(value: ArrayBufferView): ArrayBufferView {
  const type = viewType(value);
  if (type === undefined) throw REFUSED;
  return type.make(ownBuffer(bytesOf(value)));
}
