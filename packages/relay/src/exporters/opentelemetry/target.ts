/** What all exporters to a collector may be told: where it is and what this process is. */
import { relayErrors } from "../../errors.ts";
import type { ExporterOptions } from "../exporter.ts";
import { type HeaderOptions, headersOf } from "../headers.ts";
import type { OtlpTarget, OtlpTransport } from "./packages.ts";

/** Where a collector is, and what this process is. */
export interface OpenTelemetryOptions extends ExporterOptions, HeaderOptions {
  /** The whole address: `http://127.0.0.1:4318/v1/traces` for HTTP, `http://127.0.0.1:4317` for gRPC. */
  readonly endpoint: string;
  /** Default: "http_binary". */
  readonly transport?: OtlpTransport;
  readonly resourceAttributes?: Readonly<Record<string, string>>;
  /** Default: "unknown_service". */
  readonly serviceName?: string;
  readonly serviceNamespace?: string;
  readonly serviceVersion?: string;
  /** The name of what makes the telemetry. Default: "troupe.relay". */
  readonly instrumentationScope?: string;
  /** What one request may take. Default: 3,000. */
  readonly timeoutMillis?: number;
}

const TIMEOUT_MS = 3_000;
const transports: readonly OtlpTransport[] = ["http_binary", "http_json", "grpc"];

/** The collector. Throws `relay.option_invalid`. */
export function targetOf(options: OpenTelemetryOptions): OtlpTarget {
  const { endpoint: url, transport = "http_binary", timeoutMillis: timeoutMs = TIMEOUT_MS } = options;
  if (typeof url !== "string" || !URL.canParse(url))
    throw relayErrors.optionInvalid("endpoint", "an absolute address");
  if (!transports.includes(transport)) throw relayErrors.optionInvalid("transport", transports.join(", "));
  return { url, transport, timeoutMs, headers: headersOf(options) };
}

/** What this process is. */
export function resourceAttributesOf(options: OpenTelemetryOptions): Readonly<Record<string, string>> {
  const { serviceName = "unknown_service", serviceNamespace, serviceVersion } = options;
  return {
    ...options.resourceAttributes,
    "service.name": serviceName,
    ...(serviceNamespace === undefined ? {} : { "service.namespace": serviceNamespace }),
    ...(serviceVersion === undefined ? {} : { "service.version": serviceVersion }),
  };
}

/** What makes the telemetry. */
export function scopeOf({ instrumentationScope: name = "troupe.relay" }: OpenTelemetryOptions): {
  name: string;
} {
  return { name };
}
