export type {
  AtifConfig,
  AtofConfig,
  AtofFileSinkConfig,
  AtofStreamSinkConfig,
  Config,
  OpenTelemetryEndpointConfig,
  OpenTelemetryLogSectionConfig,
  OpenTelemetryMetricSectionConfig,
  OpenTelemetrySectionConfig,
  OpenTelemetrySignalEndpointConfig,
} from "@troupe/relay/observability";
export {
  atifConfig,
  atofConfig,
  ComponentSpec,
  defaultConfig,
  OBSERVABILITY_PLUGIN_KIND,
  openTelemetryConfig,
  openTelemetryEndpoint,
  openTelemetryLogConfig,
  openTelemetryMetricConfig,
  openTelemetrySignalEndpoint,
} from "@troupe/relay/observability";
