/**
 * Turns parsed JSON into the value that it stands for, in place: the tree is the parser's own and nobody else's.
 */
import { valueErrors } from "../errors.ts";
import { limits } from "../limits.ts";
import { fromBase64 } from "./base64.ts";
import { bigintOfDecimal } from "./bigint.ts";
import { errorOf } from "./error-value.ts";
import { renderPath, type Step } from "./path.ts";
import { viewTypeByName } from "./views.ts";

/** The value of a parsed text. Throws TroupeErrors of group `value`. */
export function revive(parsed: unknown, maxDepth: number): unknown {
  return new Reviver(maxDepth).value(parsed, 0);
}

class Reviver {
  /** The way to where the walk is: the step taken at each level. */
  private readonly steps: Step[] = [];
  private left: number = limits.valueEntries;
  private readonly maxDepth: number;

  constructor(maxDepth: number) {
    this.maxDepth = maxDepth;
  }

  value(parsed: unknown, level: number): unknown {
    if (typeof parsed !== "object" || parsed === null) return parsed;
    if (!Array.isArray(parsed)) return this.record(parsed as Record<string, unknown>, level);
    const first: unknown = parsed[0];
    if (typeof first !== "string" || !first.startsWith("$")) return this.array(parsed, level);
    if (first.startsWith("$$")) {
      parsed[0] = first.slice(1);
      return this.array(parsed, level);
    }
    if (parsed.length > 2) throw valueErrors.malformed(`${first} has more than one operand`);
    return this.special(first, parsed[1], level);
  }

  private record(value: Record<string, unknown>, level: number): Record<string, unknown> {
    const keys = Object.keys(value);
    this.enter(keys.length, level);
    for (const key of keys) {
      if (key === "__proto__") throw valueErrors.forbiddenKey(this.path(level), key);
      const before = value[key];
      if (typeof before !== "object" || before === null) continue;
      this.steps[level] = key;
      value[key] = this.value(before, level + 1);
    }
    return value;
  }

  private array(value: unknown[], level: number): unknown[] {
    this.enter(value.length, level);
    for (let index = 0; index < value.length; index++) {
      const before = value[index];
      if (typeof before !== "object" || before === null) continue;
      this.steps[level] = index;
      value[index] = this.value(before, level + 1);
    }
    return value;
  }

  private special(tag: string, operand: unknown, level: number): unknown {
    switch (tag) {
      case "$Undefined":
        return undefined;
      case "$Number":
        return specialNumber(operand);
      case "$BigInt":
        return bigint(operand);
      case "$Date":
        return date(operand);
      case "$RegExp":
        return regexp(operand);
      case "$Map":
        return this.map(operand, level);
      case "$Set":
        return new Set(this.array(list(operand, tag), level));
      case "$Error":
        return this.error(operand, level);
      case "$ArrayBuffer":
        return bytes(operand, tag).buffer;
      default:
        return view(tag, operand);
    }
  }

  private map(operand: unknown, level: number): Map<unknown, unknown> {
    const entries = list(operand, "$Map");
    this.enter(entries.length * 2, level);
    const result = new Map<unknown, unknown>();
    for (const [index, entry] of entries.entries()) {
      if (!Array.isArray(entry) || entry.length !== 2)
        throw valueErrors.malformed("an entry of $Map isn't a pair");
      this.steps[level] = index;
      result.set(this.value(entry[0], level + 1), this.value(entry[1], level + 1));
    }
    return result;
  }

  private error(operand: unknown, level: number): Error {
    if (typeof operand !== "object" || operand === null || Array.isArray(operand)) {
      throw valueErrors.malformed("$Error without an object");
    }
    const result = errorOf(this.record(operand as Record<string, unknown>, level));
    if (result === undefined) throw valueErrors.malformed("$Error without what an error has");
    return result;
  }

  private enter(entries: number, level: number): void {
    if (level >= this.maxDepth) throw valueErrors.tooDeep(this.path(level), limits.valueDepth);
    this.left -= entries;
    if (this.left < 0) throw valueErrors.tooManyEntries(this.path(level), limits.valueEntries);
  }

  private path(level: number): string {
    return renderPath("", this.steps.slice(0, level));
  }
}

function list(operand: unknown, tag: string): unknown[] {
  if (!Array.isArray(operand)) throw valueErrors.malformed(`${tag} without an array`);
  return operand;
}

function specialNumber(operand: unknown): number {
  switch (operand) {
    case "NaN":
      return Number.NaN;
    case "Infinity":
      return Number.POSITIVE_INFINITY;
    case "-Infinity":
      return Number.NEGATIVE_INFINITY;
    case "-0":
      return -0;
    default:
      throw valueErrors.malformed("$Number of none of the special numbers");
  }
}

function bigint(operand: unknown): bigint {
  const result = typeof operand === "string" ? bigintOfDecimal(operand) : undefined;
  if (result === undefined) throw valueErrors.malformed("$BigInt without a decimal number");
  return result;
}

function date(operand: unknown): Date {
  if (operand !== null && !Number.isInteger(operand))
    throw valueErrors.malformed("$Date without milliseconds");
  return new Date(operand === null ? Number.NaN : (operand as number));
}

function regexp(operand: unknown): RegExp {
  const [source, flags]: unknown[] = Array.isArray(operand) ? operand : [];
  if (typeof source !== "string" || typeof flags !== "string")
    throw valueErrors.malformed("$RegExp without a source");
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw valueErrors.malformed("$RegExp of an invalid expression", cause);
  }
}

function bytes(operand: unknown, tag: string): Uint8Array<ArrayBuffer> {
  const result = typeof operand === "string" ? fromBase64(operand) : undefined;
  if (result === undefined) throw valueErrors.malformed(`${tag} without base64`);
  return result;
}

function view(tag: string, operand: unknown): ArrayBufferView {
  const type = viewTypeByName(tag.slice(1));
  if (type === undefined) throw valueErrors.malformed("an unknown special type");
  const content = bytes(operand, tag);
  if (content.length % type.elementBytes !== 0) throw valueErrors.malformed(`${tag} of a broken length`);
  return type.make(content.buffer);
}
