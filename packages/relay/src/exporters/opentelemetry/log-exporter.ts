/** OpenTelemetryLogSubscriber: marks as log records of a collector, those that have a severity or are asked for. */
import type { Resource } from "@opentelemetry/resources";
import type { LogRecordExporter, ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../../errors.ts";
import type { MarkEvent, RelayEvent, Severity } from "../../events/event.ts";
import { bytesOfEvent } from "../../events/event-size.ts";
import { metricSchema } from "../../events/metric.ts";
import { TOOL_CALL_MARK } from "../../events/tool-call-mark.ts";
import { checkTexts } from "../../given.ts";
import { Delivery, exportWeight } from "../delivery.ts";
import { Exporter, type RuntimeDiagnostic } from "../exporter.ts";
import { withoutSecrets } from "../http-sink.ts";
import { attributes } from "./described-call.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { hrTime, spanIds, Traces } from "./ids.ts";
import { type OtlpTarget, otlpExporter, resourceOf } from "./packages.ts";
import { send } from "./send.ts";
import { type OpenTelemetryOptions, resourceAttributesOf, scopeOf, targetOf } from "./target.ts";

/** Which marks are told. */
export interface OpenTelemetryLogOptions extends OpenTelemetryOptions {
  /** Marks below it aren't told; one without a severity is "info". Default: "info". */
  readonly minimumSeverity?: Severity;
  /** Default: `["llm.chunk", "llm.tool_call"]`: the span of the model's call has both. */
  readonly markExcludeNames?: readonly string[];
  /** How long records may wait for others. Default: 1,000. */
  readonly scheduledDelayMillis?: number;
}

/** OpenTelemetry's numbers. */
const severities: Readonly<Record<Severity, number>> = { trace: 1, debug: 5, info: 9, warn: 13, error: 17 };
const DELAY_MS = 1_000;

interface Ready {
  readonly exporter: LogRecordExporter;
  readonly resource: Resource;
}

interface PendingRecord {
  readonly mark: MarkEvent;
  readonly root: string;
  readonly severity: Severity;
}

/** Sends marks as log records. */
export class OpenTelemetryLogSubscriber extends Exporter {
  readonly #options: OpenTelemetryLogOptions;
  readonly #target: OtlpTarget;
  readonly #least: number;
  readonly #excluded: ReadonlySet<string>;
  readonly #traces = new Traces();
  readonly #delivery: Delivery<PendingRecord>;
  #ready: Promise<Ready> | undefined = undefined;

  constructor(options: OpenTelemetryLogOptions) {
    super(options);
    checkTexts(options.markExcludeNames, "markExcludeNames");
    const { minimumSeverity = "info" } = options;
    if (!isSeverity(minimumSeverity))
      throw relayErrors.optionInvalid("minimumSeverity", Object.keys(severities).join(", "));
    this.#options = options;
    this.#target = targetOf(options);
    this.#least = severities[minimumSeverity];
    this.#excluded = new Set(options.markExcludeNames ?? ["llm.chunk", TOOL_CALL_MARK]);
    this.#delivery = new Delivery({
      target: withoutSecrets(options.endpoint),
      send: (records) => this.#send(records),
      weigh: ({ mark }) => exportWeight(bytesOfEvent(mark)),
      limit: limits.relayExportItems,
      batch: limits.relayExportBatch,
      delayMs: options.scheduledDelayMillis ?? DELAY_MS,
      tries: 1,
    });
  }

  /** What went wrong so far, by reason. */
  runtimeDiagnostics(): RuntimeDiagnostic[] {
    return diagnosticsOf(this.#delivery);
  }

  protected take(event: RelayEvent): Promise<void> | undefined {
    const root = this.#traces.of(event);
    if (event.kind !== "mark" || this.#excluded.has(event.name)) return undefined;
    if (event.data_schema?.name === metricSchema.name) return undefined;
    const said = event.metadata?.["nemo_relay.log.severity"];
    const severity = isSeverity(said) ? said : "info";
    if (severities[severity] < this.#least) return undefined;
    return this.#delivery.add({ mark: event, root, severity });
  }

  protected async drained(): Promise<void> {
    await this.#delivery.flushed();
  }

  protected async closed(): Promise<void> {
    this.#delivery.end();
    await (await this.#ready?.catch(() => undefined))?.exporter.shutdown();
  }

  async #send(records: readonly PendingRecord[]): Promise<void> {
    this.#ready ??= this.#load();
    const { exporter, resource } = await this.#ready;
    const instrumentationScope = scopeOf(this.#options);
    await send(
      exporter,
      records.map((record) => ({ ...logRecord(record), resource, instrumentationScope })),
    );
  }

  async #load(): Promise<Ready> {
    return {
      exporter: await otlpExporter("logs", this.#target),
      resource: await resourceOf(resourceAttributesOf(this.#options)),
    };
  }
}

function logRecord({
  mark,
  root,
  severity,
}: PendingRecord): Omit<ReadableLogRecord, "resource" | "instrumentationScope"> {
  const { name, parent_uuid: parent, data, metadata } = mark;
  const { "nemo_relay.log.severity": _severity, ...facts } = metadata ?? {};
  const time = hrTime(mark.timestamp);
  return {
    hrTime: time,
    hrTimeObserved: time,
    severityNumber: severities[severity],
    severityText: severity.toUpperCase(),
    body: typeof data === "string" ? data : data === null ? name : JSON.stringify(data),
    eventName: name,
    attributes: attributes({ ...facts, "nemo_relay.mark.uuid": mark.uuid }),
    droppedAttributesCount: 0,
    ...(parent === null ? {} : { spanContext: spanIds(root, parent) }),
  };
}

function isSeverity(value: unknown): value is Severity {
  return typeof value === "string" && Object.hasOwn(severities, value);
}
