/**
 * Metric marks: measurements as events, under the schema `nemo.relay.metric_measurements`. Exporters make instruments of
 * them. A mark has all of its measurements or isn't emitted.
 */
import { relayErrors } from "../errors.ts";
import { checkReadable } from "../given.ts";
import type { DataSchema, Json } from "./event.ts";
import { isFlat } from "./metadata.ts";

/** One measurement. */
export interface Measurement {
  readonly name: string;
  readonly kind: "counter" | "up_down_counter" | "gauge" | "histogram";
  readonly valueType: "u64" | "i64" | "f64";
  readonly value: number | bigint;
  readonly unit?: string;
  readonly description?: string;
  readonly attributes?: { readonly [key: string]: Json };
  /** Histograms: ascending, at most 64. */
  readonly boundaries?: readonly number[];
}

/** What a metric mark's `data` follows. */
export const metricSchema: DataSchema = { name: "nemo.relay.metric_measurements", version: "1" };

const BOUNDARIES = 64;
const kinds = ["counter", "up_down_counter", "gauge", "histogram"];
const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  u64: [0n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** The mark's data. Throws `relay.measurement_invalid` with the path of what is wrong. */
export function metricData(measurements: readonly Measurement[]): Json {
  if (!Array.isArray(measurements) || measurements.length === 0)
    throw relayErrors.measurementInvalid("measurements", "a list of at least one");
  return { measurements: measurements.map((each, n) => checked(each, `measurements[${n}]`)) };
}

function checked(measurement: Measurement, path: string): Json {
  checkReadable(measurement, path);
  const { name, kind, valueType, value, unit, description, attributes, boundaries } = measurement;
  const refuse = (field: string, expected: string): never => {
    throw relayErrors.measurementInvalid(`${path}.${field}`, expected);
  };
  if (typeof name !== "string" || name === "") refuse("name", "a text");
  if (!kinds.includes(kind)) refuse("kind", kinds.join(", "));
  if (!isIn(value, valueType)) refuse("value", `a number that fits its valueType`);
  if (kind === "counter" && value < 0) refuse("value", "0 or more: it is a counter");
  if (attributes !== undefined) checkReadable(attributes, `${path}.attributes`);
  for (const [key, fact] of Object.entries(attributes ?? {}))
    if (!isFlat(fact)) refuse(`attributes.${key}`, "a scalar, or a list of scalars of one type");
  if (boundaries !== undefined && !areBoundaries(kind, boundaries))
    refuse("boundaries", `at most ${BOUNDARIES} ascending numbers of a histogram`);
  return {
    ...{ name, kind, value_type: valueType, value: typeof value === "bigint" ? exact(value) : value },
    ...(unit === undefined ? {} : { unit }),
    ...(description === undefined ? {} : { description }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(boundaries === undefined ? {} : { boundaries }),
  };
}

function isIn(value: number | bigint, type: string): boolean {
  const range = typeof type === "string" && Object.hasOwn(ranges, type) ? ranges[type] : undefined;
  if (range === undefined) return type === "f64" && Number.isFinite(value);
  if (typeof value === "number" && !Number.isSafeInteger(value)) return false;
  if (typeof value !== "number" && typeof value !== "bigint") return false;
  return value >= range[0] && value <= range[1];
}

/** JSON has no 64-bit integers: what a number can't say is a text. */
function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function areBoundaries(kind: string, boundaries: readonly number[]): boolean {
  if (kind !== "histogram" || !Array.isArray(boundaries) || boundaries.length > BOUNDARIES) return false;
  return boundaries.every(
    (each, n) => Number.isFinite(each) && (n === 0 || each > (boundaries[n - 1] ?? Infinity)),
  );
}
