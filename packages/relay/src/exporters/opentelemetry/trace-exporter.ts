/**
 * OpenTelemetrySubscriber: scopes as spans of a collector.
 *
 * A span is sent when its scope ends, with the marks that were made in it. A mark whose scope has ended by then, or is in
 * another process, is a span of its own, without duration. What never ends is bounded, with its marks, in number and in
 * bytes: past a limit the oldest is sent as it is, and shutting down sends the rest.
 */
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../../errors.ts";
import type { MarkEvent, RelayEvent, ScopeEvent } from "../../events/event.ts";
import { bytesOfEvent } from "../../events/event-size.ts";
import { checkTexts } from "../../given.ts";
import { Delivery, exportWeight } from "../delivery.ts";
import { Exporter, type RuntimeDiagnostic } from "../exporter.ts";
import { withoutSecrets } from "../http-sink.ts";
import { OpenScopes } from "../open-scopes.ts";
import type { DescribedCall } from "./described-call.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { Traces } from "./ids.ts";
import { type OtlpTarget, otlpExporter, resourceOf } from "./packages.ts";
import { send } from "./send.ts";
import { markSpan, type Projection, type SpanParts, scopeSpan } from "./spans.ts";
import { type OpenTelemetryOptions, resourceAttributesOf, scopeOf, targetOf } from "./target.ts";

/** Which words spans are told in, and what is told. */
export interface OpenTelemetryTraceOptions extends OpenTelemetryOptions {
  /** The GenAI conventions, OpenInference's, or the first with everything else that events say. */
  readonly type: "full" | "gen_ai" | "openinference";
  /** Tells messages, arguments and results. Default: false for "gen_ai", as its conventions ask; else true. */
  readonly captureContent?: boolean;
  /** Marks as events of their scope's span, or as spans of their own ("tool"). "inherit" is "event". Default: "inherit". */
  readonly markProjection?: "inherit" | "event" | "tool";
  /** Default: `["llm.chunk"]`. */
  readonly markExcludeNames?: readonly string[];
  /** Attributes that are told under a second name. */
  readonly attributeMappings?: readonly { readonly key: string; readonly alias: string }[];
  /** Metadata whose names begin with one of these is told as attributes; "full" tells all. */
  readonly promoteMetadataPrefixes?: readonly string[];
  /** How long spans may wait for others. Default: 1,000. */
  readonly scheduledDelayMillis?: number;
}

interface OpenScope {
  readonly start: ScopeEvent;
  readonly marks: MarkEvent[];
  /** What both take of memory. */
  bytes: number;
}

interface Ready {
  readonly exporter: SpanExporter;
  readonly resource: Resource;
}

/** Turns a span's facts into a span when it is sent: until then the packages need not be there. */
interface Waiting {
  readonly bytes: number;
  readonly span: (parts: SpanParts) => ReadableSpan;
}

const types: readonly unknown[] = ["full", "gen_ai", "openinference"];
const DELAY_MS = 1_000;

/** Sends scopes as spans. */
export class OpenTelemetrySubscriber extends Exporter {
  readonly #options: OpenTelemetryTraceOptions;
  readonly #projection: Projection;
  readonly #target: OtlpTarget;
  readonly #excluded: ReadonlySet<string>;
  readonly #traces = new Traces();
  readonly #open = new OpenScopes<OpenScope>();
  readonly #delivery: Delivery<Waiting>;
  #ready: Promise<Ready> | undefined = undefined;
  #openBytes = 0;
  #unended = 0;

  constructor(options: OpenTelemetryTraceOptions) {
    super(options);
    checkTexts(options.markExcludeNames, "markExcludeNames");
    if (!types.includes(options.type)) throw relayErrors.optionInvalid("type", types.join(", "));
    this.#options = options;
    this.#target = targetOf(options);
    this.#projection = {
      type: options.type,
      content: options.captureContent ?? options.type !== "gen_ai",
      mappings: options.attributeMappings ?? [],
      promoted: options.promoteMetadataPrefixes ?? [],
    };
    this.#excluded = new Set(options.markExcludeNames ?? ["llm.chunk"]);
    this.#delivery = new Delivery({
      target: withoutSecrets(options.endpoint),
      send: (spans) => this.#send(spans),
      weigh: ({ bytes }) => exportWeight(bytes),
      limit: limits.relayExportItems,
      batch: limits.relayExportBatch,
      delayMs: options.scheduledDelayMillis ?? DELAY_MS,
      // The packages try again by themselves.
      tries: 1,
    });
  }

  /** What went wrong so far, by reason. */
  runtimeDiagnostics(): RuntimeDiagnostic[] {
    return diagnosticsOf(this.#delivery, { "otel.span_unended": this.#unended });
  }

  protected take(event: RelayEvent): Promise<void> | undefined {
    const root = this.#traces.of(event);
    if (event.kind === "mark") return this.#takeMark(event, root);
    if (event.scope_category === "start") return this.#begin(event);
    // Registered in the middle of it: the end says all that is known.
    const unknown = { start: { ...event, data: null }, marks: [], bytes: 0 };
    const { start, marks, bytes } = this.#open.take(event.uuid) ?? unknown;
    this.#openBytes -= bytes;
    return this.#told({ start, end: event, marks }, root, bytes + bytesOfEvent(event));
  }

  protected async drained(): Promise<void> {
    await this.#delivery.flushed();
  }

  protected async closed(): Promise<void> {
    while (this.#open.size > 0) void this.#giveUpOldest();
    this.#delivery.end();
    await this.#delivery.flushed().catch(() => {});
    await (await this.#ready?.catch(() => undefined))?.exporter.shutdown();
  }

  #takeMark(mark: MarkEvent, root: string): Promise<void> | undefined {
    if (this.#excluded.has(mark.name)) return undefined;
    const open = mark.parent_uuid === null ? undefined : this.#open.get(mark.parent_uuid);
    if (open === undefined || this.#options.markProjection === "tool")
      return this.#delivery.add({
        bytes: bytesOfEvent(mark),
        span: (parts) => markSpan(mark, root, parts),
      });
    open.marks.push(mark);
    return this.#grow(open, mark);
  }

  #begin(start: ScopeEvent): Promise<void> | undefined {
    const open = { start, marks: [], bytes: 0 };
    this.#open.set(start.uuid, open);
    return this.#grow(open, start);
  }

  /** What is open has grown: past either limit the oldest is told as it is. */
  #grow(open: OpenScope, by: RelayEvent): Promise<void> | undefined {
    const bytes = bytesOfEvent(by);
    open.bytes += bytes;
    this.#openBytes += bytes;
    let told: Promise<void> | undefined;
    const isFull = (): boolean =>
      this.#open.size > limits.relayOpenSpans || this.#openBytes > limits.relayExportItemBytes;
    while (this.#open.size > 0 && isFull()) told = this.#giveUpOldest();
    return told;
  }

  #giveUpOldest(): Promise<void> | undefined {
    const oldest = this.#open.takeOldest();
    if (oldest === undefined) return undefined;
    const { start, marks, bytes } = oldest;
    this.#openBytes -= bytes;
    this.#unended += 1;
    return this.#told({ start, end: undefined, marks }, this.#traces.of(start), bytes);
  }

  #told(call: DescribedCall, root: string, bytes: number): Promise<void> | undefined {
    return this.#delivery.add({ bytes, span: (parts) => scopeSpan(call, root, parts) });
  }

  async #send(spans: readonly Waiting[]): Promise<void> {
    this.#ready ??= this.#load();
    const { exporter, resource } = await this.#ready;
    const instrumentationScope = scopeOf(this.#options);
    const parts = { resource, instrumentationScope, projection: this.#projection };
    await send(
      exporter,
      spans.map(({ span }) => span(parts)),
    );
  }

  async #load(): Promise<Ready> {
    return {
      exporter: await otlpExporter("trace", this.#target),
      resource: await resourceOf(resourceAttributesOf(this.#options)),
    };
  }
}
