export type {
  OpenTelemetryLogOptions,
  OpenTelemetryMetricOptions,
  OpenTelemetryOptions,
  OpenTelemetryTraceOptions,
  OtlpTransport,
  RuntimeDiagnostic,
} from "@troupe/relay/opentelemetry";
export {
  GEN_AI_CONVENTIONS,
  OpenTelemetryLogSubscriber,
  OpenTelemetryMetricSubscriber,
  OpenTelemetrySubscriber,
} from "@troupe/relay/opentelemetry";
