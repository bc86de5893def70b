/**
 * Plain data: what an event keeps of a value.
 *
 * A call's payload may be anything, and may change after the event was made. An event takes a copy that JSON can say,
 * and making it never fails: what JSON can't say is told in words, a getter that throws says so, and what is too deep or
 * too large is cut, which the copy says where it was cut: `"[cut]"` behind the last element of a list, and as the name of an
 * object's last property. Only the event's copy is cut: the call itself gets the value as it is.
 */
import { limits } from "@troupe/protocol";
import type { Json, Metadata } from "./event.ts";

/** A copy of `value` for an event. `undefined` becomes null, as the format has no word for it. */
export function plainData(value: unknown): Json {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  return new Copy().of(value, 0);
}

/** As `plainData`, of facts by name, the later over the former. */
export function plainRecord(...records: readonly (Metadata | null | undefined)[]): Metadata | null {
  let copy: Record<string, Json> | null = null;
  for (const record of records) {
    if (record === null || record === undefined) continue;
    copy ??= {};
    if (addTexts(copy, record)) continue;
    const plain = recordOf(plainData(record));
    for (const key in plain) define(copy, key, plain[key] ?? null);
  }
  return copy;
}

/** Most facts are flat texts, which are copied in one go. False: not all of them were. */
function addTexts(copy: Record<string, Json>, record: Metadata): boolean {
  try {
    for (const key in record) {
      const fact = read(record, key);
      if (typeof fact !== "string") return false;
      define(copy, key, fact);
    }
    return true;
  } catch {
    return false;
  }
}

/** What JSON calls an object; null for anything else. */
export function recordOf(value: Json): Metadata | null {
  return typeof value === "object" && value !== null && !isArray(value) ? value : null;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** What was left out stood here. */
const CUT = "[cut]";

class Copy {
  /** From the outermost: few, for depth is bounded. */
  readonly #ancestors: object[] = [];
  #left = limits.relayPayloadEntries;

  of(value: unknown, depth: number): Json {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : String(value);
      case "bigint":
        return value.toString();
      case "object":
        return value === null ? null : this.#object(value, depth);
      case "undefined":
        return null;
      default:
        return `[${typeof value}]`;
    }
  }

  #object(value: object, depth: number): Json {
    if (this.#ancestors.includes(value)) return "[circular]";
    if (depth === limits.relayPayloadDepth) return "[too deep]";
    this.#ancestors.push(value);
    try {
      return this.#copy(value, depth + 1);
    } catch {
      return "[unreadable]";
    } finally {
      this.#ancestors.pop();
    }
  }

  #copy(value: object, depth: number): Json {
    if (Array.isArray(value)) return this.#elements(value, depth);
    // Nearly all are no more than that.
    if (Object.getPrototypeOf(value) === Object.prototype) return this.#properties(value, depth);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof Error) return { name: value.name, message: value.message };
    if (value instanceof Map) return this.#entries(value, depth);
    if (value instanceof Set) return this.#elements(value, depth);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
    return this.#properties(value, depth);
  }

  #elements(values: Iterable<unknown>, depth: number): Json {
    const copy: Json[] = [];
    for (const value of values) {
      if (!this.#take()) {
        copy.push(CUT);
        break;
      }
      copy.push(this.of(value, depth));
    }
    return copy;
  }

  #properties(value: object, depth: number): Json {
    const copy: Record<string, Json> = {};
    for (const key of Object.keys(value)) if (!this.#property(copy, key, read(value, key), depth)) break;
    return copy;
  }

  #entries(map: ReadonlyMap<unknown, unknown>, depth: number): Json {
    const copy: Record<string, Json> = {};
    for (const [key, value] of map) if (!this.#property(copy, String(key), value, depth)) break;
    return copy;
  }

  /** False when there is room for no more. */
  #property(copy: Record<string, Json>, key: string, value: unknown, depth: number): boolean {
    if (value === undefined || typeof value === "function") return true;
    if (!this.#take()) {
      copy[CUT] = true;
      return false;
    }
    define(copy, key, this.of(value, depth));
    return true;
  }

  #take(): boolean {
    this.#left -= 1;
    return this.#left >= 0;
  }
}

function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return "[unreadable]";
  }
}

/** Assigning `__proto__` would change what the copy inherits. */
function define(copy: Record<string, Json>, key: string, value: Json): void {
  if (key !== "__proto__") copy[key] = value;
  else Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true });
}
