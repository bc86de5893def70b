/** The measurements in metric marks, read back: marks come from other processes as well. */
import { isObject, type JsonObject, number, objectsOf, text } from "../codecs/json.ts";
import type { RelayEvent } from "../events/event.ts";
import { metricSchema } from "../events/metric.ts";

/** A measurement as exporters take it. */
export interface MarkedMeasurement {
  readonly name: string;
  readonly kind: "counter" | "up_down_counter" | "gauge" | "histogram";
  readonly integer: boolean;
  readonly value: number;
  readonly unit: string | undefined;
  readonly description: string | undefined;
  readonly attributes: JsonObject;
  readonly boundaries: readonly number[] | undefined;
}

const kinds: readonly unknown[] = ["counter", "up_down_counter", "gauge", "histogram"];

/** None for all other events. */
export function measurementsOf({ data_schema: schema, data }: RelayEvent): readonly MarkedMeasurement[] {
  if (schema?.name !== metricSchema.name || !isObject(data)) return [];
  return objectsOf(data.measurements).flatMap(measurementOf);
}

function measurementOf(given: JsonObject): readonly MarkedMeasurement[] {
  const { name, kind, value_type: type, attributes, boundaries } = given;
  // 64-bit integers that a number can't say come as texts.
  const value = typeof given.value === "string" ? Number(given.value) : number(given.value);
  if (typeof name !== "string" || !isKind(kind) || value === undefined || !Number.isFinite(value)) return [];
  return [
    {
      name,
      kind,
      value,
      integer: type === "u64" || type === "i64",
      unit: text(given.unit),
      description: text(given.description),
      attributes: isObject(attributes) ? attributes : {},
      boundaries: Array.isArray(boundaries) ? boundaries.flatMap((each) => number(each) ?? []) : undefined,
    },
  ];
}

function isKind(value: unknown): value is MarkedMeasurement["kind"] {
  return kinds.includes(value);
}
