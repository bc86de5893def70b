/**
 * Bindings: a statement's parameters as they are given to SQLite.
 */
import { type BindParam, type BindParams, limits, utf8Bytes } from "@troupe/protocol";
import { sqlErrors } from "../../../sql/errors.ts";

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;

type Bound = null | number | bigint | string | Uint8Array;

/** Parameters by place, or by name. */
export type Bindings = readonly Bound[] | Readonly<Record<string, Bound>>;

/** From below: how many bytes a value has. */
export function sizeOf(value: Bound): number {
  if (typeof value === "string") return value.length;
  return value instanceof Uint8Array ? value.byteLength : 8;
}

/** Checks the parameters, all of them before anything runs. Throws `sql.*`. */
export function bind(params: BindParams): Bindings {
  if (!Array.isArray(params)) return bindNamed(Object.entries(params));
  checkCount(params.length);
  const values: Bound[] = [];
  for (let index = 0; index < params.length; index += 1) values.push(boundValue(index, params[index]));
  checkBytes(values);
  return values;
}

/** How many there are. */
export function countOf(values: Bindings): number {
  return isNamed(values) ? Object.keys(values).length : values.length;
}

/** True for parameters by name. */
export function isNamed(values: Bindings): values is Readonly<Record<string, Bound>> {
  return !Array.isArray(values);
}

function bindNamed(params: readonly (readonly [string, BindParam])[]): Bindings {
  checkCount(params.length);
  const entries = params.map(([name, value]) => [name, boundValue(name, value)] as const);
  checkBytes(entries.map(([, value]) => value));
  return Object.fromEntries(entries);
}

function checkCount(count: number): void {
  if (count > limits.sqlParameters) throw sqlErrors.tooManyParameters(count, limits.sqlParameters);
}

function checkBytes(values: readonly Bound[]): void {
  // Cheap for all that is short: a character is three bytes at most.
  let most = 0;
  for (const value of values) most += typeof value === "string" ? value.length * 3 : sizeOf(value);
  if (most <= limits.sqlBoundBytes) return;
  let bytes = 0;
  for (const value of values)
    bytes += typeof value === "string" ? utf8Bytes(value).byteLength : sizeOf(value);
  if (bytes > limits.sqlBoundBytes) throw sqlErrors.parametersTooLarge(bytes, limits.sqlBoundBytes);
}

function boundValue(name: string | number, value: BindParam): Bound {
  if (value === null || typeof value === "string" || value instanceof Uint8Array) return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  // node:sqlite binds every number as a float; a whole one is meant as an integer.
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === "bigint" && value >= MIN_INTEGER && value <= MAX_INTEGER) return value;
  throw sqlErrors.invalidParameter(name);
}
