/**
 * PrometheusExporter: calls, tokens, costs and metric marks as Prometheus' text, for whoever scrapes.
 *
 * Beside metric marks it counts by itself: scopes that ended and how long they took, by type, name and status; tokens and
 * costs by model. Series are bounded: past the limit a new set of labels is counted under `overflow="true"` alone.
 *
 * Of an event nothing is shown but measurements and the names of scopes and models, and those come again: secrets are looked for there
 * alone, and once in each name.
 */
import { limits } from "@troupe/protocol";
import { isObject, type JsonObject, text } from "../codecs/json.ts";
import type { Json, RelayEvent, ScopeEvent } from "../events/event.ts";
import { Known } from "../redaction/known.ts";
import { eventWithoutSecrets, textWithoutSecrets } from "../redaction/secrets.ts";
import { Exporter, type ExporterOptions } from "./exporter.ts";
import { type MarkedMeasurement, measurementsOf } from "./measurements.ts";
import { OpenScopes } from "./open-scopes.ts";
import { responseOf } from "./opentelemetry/described-call.ts";
import { modelOf } from "./opentelemetry/gen-ai.ts";
import { Family } from "./prometheus-family.ts";

/** Seconds. */
const durations = [0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60];
const defaultBoundaries = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000];

/** What is kept of a scope until it ends, and no more: its start event has all that was said to a model. */
interface Began {
  readonly micros: number;
  readonly model: string | undefined;
}

/** Counts, and answers the text. */
export class PrometheusExporter extends Exporter {
  readonly #families = new Map<string, Family>();
  readonly #began = new OpenScopes<Began>();
  /** Names, as they are shown. */
  readonly #shown: Known<string>;
  #dropped = 0;

  constructor(options: ExporterOptions = {}) {
    super(options);
    this.#shown = new Known(this.includesSecrets ? (name) => name : textWithoutSecrets);
  }

  /** `text/plain; version=0.0.4`, families and series in the order of their names. */
  text(): string {
    const families = [...this.#families.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const dropped = new Family({ name: "troupe_relay_measurements_dropped_total", kind: "counter" });
    dropped.add({}, this.#dropped);
    return [...families, dropped].map((family) => family.text()).join("");
  }

  protected override withoutSecrets(event: RelayEvent): RelayEvent {
    return event;
  }

  protected take(event: RelayEvent): undefined {
    if (event.kind === "mark")
      for (const measurement of this.#measurementsOf(event)) this.#measured(measurement);
    else if (event.scope_category === "start") this.#begin(event);
    else this.#ended(event);
  }

  protected drained(): Promise<void> {
    return Promise.resolve();
  }

  protected closed(): Promise<void> {
    return Promise.resolve();
  }

  #measurementsOf(event: RelayEvent): readonly MarkedMeasurement[] {
    const found = measurementsOf(event);
    return found.length === 0 || this.includesSecrets ? found : measurementsOf(eventWithoutSecrets(event));
  }

  #begin(start: ScopeEvent): void {
    const model = start.category === "llm" ? modelOf({ start, end: undefined, marks: [] }) : undefined;
    this.#began.set(start.uuid, { micros: micros(start.timestamp), model });
    if (this.#began.size > limits.relayOpenSpans) this.#began.takeOldest();
  }

  #ended(end: ScopeEvent): void {
    const began = this.#began.take(end.uuid);
    const failed = end.metadata?.["otel.status_code"] === "ERROR";
    const labels = { type: end.category, name: this.#shown.of(end.name) };
    const calls = this.#family("troupe_relay_calls_total", "counter");
    calls?.add({ ...labels, status: failed ? "error" : "ok" }, 1);
    if (began === undefined) return;
    const took = (micros(end.timestamp) - began.micros) / 1_000_000;
    this.#family("troupe_relay_call_duration_seconds", "histogram", durations)?.observe(labels, took);
    if (end.category === "llm") this.#model(began, end);
  }

  #model(began: Began, end: ScopeEvent): void {
    const response = responseOf({ start: end, end, marks: [] });
    const usage = response?.usage;
    const told = response?.model ?? text(end.category_profile?.model_name) ?? began.model;
    const model = this.#shown.of(told ?? end.name);
    const tokens = this.#family("troupe_relay_tokens_total", "counter");
    const counted = {
      input: usage?.uncached_input_tokens ?? usage?.prompt_tokens,
      output: usage?.completion_tokens,
      cache_read: usage?.cache_read_tokens,
      cache_write: usage?.cache_write_tokens,
    };
    for (const [type, count] of Object.entries(counted))
      if (count !== undefined) tokens?.add({ model, type }, count);
    const { cost } = usage ?? {};
    if (isObject(cost) && typeof cost.total === "number")
      this.#family("troupe_relay_cost_total", "counter")?.add(
        { model, currency: String(cost.currency) },
        cost.total,
      );
  }

  #measured({ name, kind, value, attributes, boundaries, description }: MarkedMeasurement): void {
    const total = kind === "counter" && !name.endsWith("_total") ? `${name}_total` : name;
    const told = kind === "up_down_counter" ? "gauge" : kind;
    const family = this.#family(total, told, boundaries ?? defaultBoundaries, description);
    if (family === undefined) return;
    const labels = labelsOf(attributes, kind === "histogram");
    if (kind === "histogram") family.observe(labels, value);
    else if (kind === "gauge") family.set(labels, value);
    else family.add(labels, value);
  }

  #family(
    name: string,
    kind: Family["kind"],
    boundaries?: readonly number[],
    help?: string,
  ): Family | undefined {
    const direct = this.#families.get(name);
    if (direct?.kind === kind) return direct;
    const clean = name.replace(/[^A-Za-z0-9_:]/g, "_").replace(/^(?=\d)/, "_");
    const known = this.#families.get(clean);
    if (known?.kind === kind) return known;
    if (known !== undefined || this.#families.size >= limits.relayInstruments || this.#clashes(clean, kind)) {
      this.#dropped += 1;
      return undefined;
    }
    const made = new Family({ name: clean, kind, boundaries, help });
    this.#families.set(clean, made);
    return made;
  }

  /** A histogram's samples have names of their own, which no other family may have. */
  #clashes(name: string, kind: Family["kind"]): boolean {
    if (kind === "histogram") return suffixes.some((suffix) => this.#families.has(`${name}${suffix}`));
    const suffix = suffixes.find((end) => name.endsWith(end));
    return suffix !== undefined && this.#families.get(name.slice(0, -suffix.length))?.kind === "histogram";
  }
}

const suffixes = ["_bucket", "_sum", "_count"] as const;

function labelsOf(attributes: JsonObject, bucketed: boolean): Readonly<Record<string, string>> {
  const entries = Object.entries(attributes).flatMap(([key, value]) =>
    // A scraper refuses all of a text that has a label without a name.
    key === "" ? [] : [[labelName(key, bucketed), labelValue(value)]],
  );
  return Object.fromEntries(entries);
}

/** What Prometheus means something by is a histogram's own label, or begins with two underscores. */
function labelName(key: string, bucketed: boolean): string {
  const name = key.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");
  return name.startsWith("__") || (bucketed && name === "le") ? `exported_${name}` : name;
}

function labelValue(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A date has milliseconds; the last three digits of an event's microseconds are behind them. */
function micros(timestamp: string): number {
  return Date.parse(timestamp) * 1_000 + Number(timestamp.slice(-4, -1));
}
