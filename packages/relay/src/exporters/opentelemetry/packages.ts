/**
 * OpenTelemetry's own exporters, imported on first use: a program without a collector needs none of the packages, and
 * `troupe/relay` doesn't load them.
 */
import type { Metadata as GrpcMetadata } from "@grpc/grpc-js";
import type { Resource } from "@opentelemetry/resources";
import type { LogRecordExporter } from "@opentelemetry/sdk-logs";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { relayErrors } from "../../errors.ts";

/** How a collector is spoken to: OTLP over HTTP in protobuf or JSON, or over gRPC. */
export type OtlpTransport = "http_binary" | "http_json" | "grpc";

/** Where a collector is. */
export interface OtlpTarget {
  readonly url: string;
  readonly transport: OtlpTransport;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

type Signal = "trace" | "logs" | "metrics";

/** The exporters by signal. */
interface SignalExporters {
  readonly trace: SpanExporter;
  readonly logs: LogRecordExporter;
  readonly metrics: PushMetricExporter;
}

type ExporterClass<S extends Signal> = new (config: object) => SignalExporters[S];

/** An exporter of one signal. Throws `package.missing`. */
export async function otlpExporter<S extends Signal>(
  signal: S,
  target: OtlpTarget,
  more: object = {},
): Promise<SignalExporters[S]> {
  const load = (transport: OtlpTransport): Promise<ExporterClass<S>> => classes[signal][transport]();
  const Exporter = await needed(`@opentelemetry/exporter-${signal}-otlp-*`, () => load(target.transport));
  const { url, headers, timeoutMs: timeoutMillis } = target;
  if (target.transport !== "grpc") return new Exporter({ ...more, url, headers, timeoutMillis });
  const { credentials, Metadata } = await needed("@grpc/grpc-js", () => import("@grpc/grpc-js"));
  const metadata: GrpcMetadata = Metadata.fromHttp2Headers({ ...headers });
  const secure = url.startsWith("https:") ? credentials.createSsl() : credentials.createInsecure();
  return new Exporter({ ...more, url, metadata, timeoutMillis, credentials: secure });
}

const classes: {
  readonly [S in Signal]: { readonly [T in OtlpTransport]: () => Promise<ExporterClass<S>> };
} = {
  trace: {
    http_binary: async () => (await import("@opentelemetry/exporter-trace-otlp-proto")).OTLPTraceExporter,
    http_json: async () => (await import("@opentelemetry/exporter-trace-otlp-http")).OTLPTraceExporter,
    grpc: async () => (await import("@opentelemetry/exporter-trace-otlp-grpc")).OTLPTraceExporter,
  },
  logs: {
    http_binary: async () => (await import("@opentelemetry/exporter-logs-otlp-proto")).OTLPLogExporter,
    http_json: async () => (await import("@opentelemetry/exporter-logs-otlp-http")).OTLPLogExporter,
    grpc: async () => (await import("@opentelemetry/exporter-logs-otlp-grpc")).OTLPLogExporter,
  },
  metrics: {
    http_binary: async () => (await import("@opentelemetry/exporter-metrics-otlp-proto")).OTLPMetricExporter,
    http_json: async () => (await import("@opentelemetry/exporter-metrics-otlp-http")).OTLPMetricExporter,
    grpc: async () => (await import("@opentelemetry/exporter-metrics-otlp-grpc")).OTLPMetricExporter,
  },
};

/** What the process is, as OpenTelemetry says it. */
export async function resourceOf(attributes: Readonly<Record<string, string>>): Promise<Resource> {
  const { resourceFromAttributes } = await needed(
    "@opentelemetry/resources",
    () => import("@opentelemetry/resources"),
  );
  return resourceFromAttributes({ ...attributes });
}

/** The package that makes instruments. */
export function metricsPackage(): Promise<typeof import("@opentelemetry/sdk-metrics")> {
  return needed("@opentelemetry/sdk-metrics", () => import("@opentelemetry/sdk-metrics"));
}

async function needed<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw relayErrors.packageMissing(name, "An exporter to OpenTelemetry", cause);
  }
}
