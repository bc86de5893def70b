/**
 * OpenTelemetryMetricSubscriber: metric marks as measurements of OpenTelemetry's instruments, which the collector is told
 * of at an interval.
 *
 * An instrument is what the first measurement with its name says; a later one of another kind is dropped and counted, as
 * are those of more instruments than the limit.
 */
import type { Meter } from "@opentelemetry/api";
import type { MeterProvider } from "@opentelemetry/sdk-metrics";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../../errors.ts";
import type { RelayEvent } from "../../events/event.ts";
import { Exporter, type RuntimeDiagnostic } from "../exporter.ts";
import { withoutSecrets } from "../http-sink.ts";
import { type MarkedMeasurement, measurementsOf } from "../measurements.ts";
import { type AttributeMap, attributes } from "./described-call.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { metricsPackage, type OtlpTarget, otlpExporter, resourceOf } from "./packages.ts";
import { type OpenTelemetryOptions, resourceAttributesOf, scopeOf, targetOf } from "./target.ts";

/** How often and how metrics are told. */
export interface OpenTelemetryMetricOptions extends OpenTelemetryOptions {
  /** Default: 60,000. */
  readonly exportIntervalMillis?: number;
  /** Sums since the beginning, or since the last time. Default: "cumulative". */
  readonly temporality?: "cumulative" | "delta" | "low_memory";
  /** Default, and the most: `limits.relayInstruments`. */
  readonly maxInstruments?: number;
  /** Sets of attributes of one instrument. Default, and the most: `limits.relayMetricSeries`. */
  readonly cardinalityLimit?: number;
}

interface Instrument {
  readonly kind: MarkedMeasurement["kind"];
  readonly record: (value: number, attributes: AttributeMap) => void;
}

const INTERVAL_MS = 60_000;
const temporalities = { cumulative: 1, delta: 0, low_memory: 2 } as const;

/** Sends measurements. */
export class OpenTelemetryMetricSubscriber extends Exporter {
  readonly #options: OpenTelemetryMetricOptions;
  readonly #target: OtlpTarget;
  readonly #instruments = new Map<string, Instrument>();
  readonly #most: number;
  #provider: Promise<MeterProvider> | undefined = undefined;
  #failures = 0;
  #dropped = 0;

  constructor(options: OpenTelemetryMetricOptions) {
    super(options);
    const { temporality = "cumulative", maxInstruments = limits.relayInstruments } = options;
    if (typeof temporality !== "string" || !Object.hasOwn(temporalities, temporality))
      throw relayErrors.optionInvalid("temporality", Object.keys(temporalities).join(", "));
    this.#options = options;
    this.#target = targetOf(options);
    this.#most = Math.min(maxInstruments, limits.relayInstruments);
  }

  /** What went wrong so far, by reason. */
  runtimeDiagnostics(): RuntimeDiagnostic[] {
    const delivery = { lost: 0, failures: this.#failures };
    return diagnosticsOf(delivery, { "otel.instrument_limit": this.#dropped });
  }

  protected take(event: RelayEvent): Promise<void> | undefined {
    const measurements = measurementsOf(event);
    return measurements.length === 0 ? undefined : this.#record(measurements);
  }

  protected async drained(): Promise<void> {
    const provider = await this.#provider;
    try {
      await provider?.forceFlush();
    } catch (cause) {
      this.#failures += 1;
      throw relayErrors.exportFailed(
        withoutSecrets(this.#options.endpoint),
        0,
        relayErrors.collectorRefused(cause),
      );
    }
  }

  protected async closed(): Promise<void> {
    await (await this.#provider?.catch(() => undefined))?.shutdown().catch(() => {});
  }

  async #record(measurements: readonly MarkedMeasurement[]): Promise<void> {
    this.#provider ??= this.#load();
    const meter = (await this.#provider).getMeter(scopeOf(this.#options).name);
    for (const measurement of measurements) {
      const instrument = this.#instrumentFor(meter, measurement);
      if (instrument === undefined) this.#dropped += 1;
      else instrument.record(measurement.value, attributes(measurement.attributes));
    }
  }

  #instrumentFor(meter: Meter, measurement: MarkedMeasurement): Instrument | undefined {
    const known = this.#instruments.get(measurement.name);
    if (known !== undefined) return known.kind === measurement.kind ? known : undefined;
    if (this.#instruments.size >= this.#most) return undefined;
    const made = { kind: measurement.kind, record: recorder(meter, measurement) };
    this.#instruments.set(measurement.name, made);
    return made;
  }

  async #load(): Promise<MeterProvider> {
    const { MeterProvider, PeriodicExportingMetricReader } = await metricsPackage();
    const {
      exportIntervalMillis = INTERVAL_MS,
      temporality = "cumulative",
      cardinalityLimit,
    } = this.#options;
    const exporter = await otlpExporter("metrics", this.#target, {
      temporalityPreference: temporalities[temporality],
    });
    const most = Math.min(cardinalityLimit ?? limits.relayMetricSeries, limits.relayMetricSeries);
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis,
      exportTimeoutMillis: Math.min(exportIntervalMillis, this.#target.timeoutMs),
      cardinalityLimits: { default: most },
    });
    const resource = await resourceOf(resourceAttributesOf(this.#options));
    return new MeterProvider({ resource, readers: [reader] });
  }
}

function recorder(meter: Meter, measurement: MarkedMeasurement): Instrument["record"] {
  const { name, kind, unit, description, integer, boundaries } = measurement;
  const options = {
    valueType: integer ? 0 : 1,
    ...(unit === undefined ? {} : { unit }),
    ...(description === undefined ? {} : { description }),
    ...(boundaries === undefined ? {} : { advice: { explicitBucketBoundaries: [...boundaries] } }),
  };
  switch (kind) {
    case "counter": {
      const counter = meter.createCounter(name, options);
      return (value, map) => counter.add(value, map);
    }
    case "up_down_counter": {
      const counter = meter.createUpDownCounter(name, options);
      return (value, map) => counter.add(value, map);
    }
    case "gauge": {
      const gauge = meter.createGauge(name, options);
      return (value, map) => gauge.record(value, map);
    }
    case "histogram": {
      const histogram = meter.createHistogram(name, options);
      return (value, map) => histogram.record(value, map);
    }
  }
}
