/** Exporters to a collector of OpenTelemetry. The packages that they need are optional, and loaded on first use. */
export type { RuntimeDiagnostic } from "./exporters/exporter.ts";
export { GEN_AI_CONVENTIONS } from "./exporters/opentelemetry/gen-ai.ts";
export type { OpenTelemetryLogOptions } from "./exporters/opentelemetry/log-exporter.ts";
export { OpenTelemetryLogSubscriber } from "./exporters/opentelemetry/log-exporter.ts";
export type { OpenTelemetryMetricOptions } from "./exporters/opentelemetry/metric-exporter.ts";
export { OpenTelemetryMetricSubscriber } from "./exporters/opentelemetry/metric-exporter.ts";
export type { OtlpTransport } from "./exporters/opentelemetry/packages.ts";
export type { OpenTelemetryOptions } from "./exporters/opentelemetry/target.ts";
export type { OpenTelemetryTraceOptions } from "./exporters/opentelemetry/trace-exporter.ts";
export { OpenTelemetrySubscriber } from "./exporters/opentelemetry/trace-exporter.ts";
