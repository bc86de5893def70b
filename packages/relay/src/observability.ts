/** Builders of configurations of the component "observability". */
import type { JsonObject } from "./codecs/json.ts";
import {
  type ConfigPolicy,
  type ComponentSpec as Spec,
  ComponentSpec as specOf,
} from "./components/config.ts";

/** The component's kind. */
export const OBSERVABILITY_PLUGIN_KIND = "observability";

/** Headers, and headers whose values are those of environment variables. */
interface Headers {
  headers?: Record<string, string>;
  header_env?: Record<string, string>;
}

/** Credentials are left out of what is sent unless this is true. */
interface Secrets {
  include_secrets?: boolean;
}

/** Events in a file. */
export interface AtofFileSinkConfig extends Secrets {
  type: "file";
  output_directory?: string;
  filename?: string;
  mode?: "append" | "overwrite";
  max_bytes?: number;
  max_files?: number;
}

/** Events to another process. */
export interface AtofStreamSinkConfig extends Headers, Secrets {
  type: "stream";
  url: string;
  transport?: "http_post" | "websocket" | "ndjson";
  timeout_millis?: number;
  field_name_policy?: "preserve" | "replace_dots";
  name?: string;
}

/** Where events go as they are. */
export interface AtofConfig {
  enabled?: boolean;
  sinks?: (AtofFileSinkConfig | AtofStreamSinkConfig)[];
}

/** A trajectory for each outermost scope, in a file of its own. */
export interface AtifConfig extends Secrets {
  enabled?: boolean;
  agent_name?: string;
  agent_version?: string;
  model_name?: string;
  tool_definitions?: JsonObject[];
  extra?: JsonObject;
  output_directory?: string;
  /** Has `{session_id}` in it. */
  filename_template?: string;
}

/** A collector. */
export interface OpenTelemetrySignalEndpointConfig extends Headers, Secrets {
  endpoint: string;
  transport?: "http_binary" | "http_json" | "grpc";
  resource_attributes?: Record<string, string>;
  service_name?: string;
  service_namespace?: string;
  service_version?: string;
  instrumentation_scope?: string;
  timeout_millis?: number;
}

/** A collector of traces. */
export interface OpenTelemetryEndpointConfig extends OpenTelemetrySignalEndpointConfig {
  type: "full" | "gen_ai" | "openinference";
  capture_content?: boolean;
  mark_projection?: "inherit" | "event" | "tool";
  mark_exclude_names?: string[];
  attribute_mappings?: { key: string; alias: string }[];
  promote_metadata_prefixes?: string[];
  scheduled_delay_millis?: number;
}

/** Marks as log records. */
export interface OpenTelemetryLogSectionConfig {
  enabled?: boolean;
  endpoints?: OpenTelemetrySignalEndpointConfig[];
  minimum_severity?: "trace" | "debug" | "info" | "warn" | "error";
  scheduled_delay_millis?: number;
}

/** Metric marks as metrics. */
export interface OpenTelemetryMetricSectionConfig {
  enabled?: boolean;
  endpoints?: OpenTelemetrySignalEndpointConfig[];
  export_interval_millis?: number;
  temporality?: "cumulative" | "delta" | "low_memory";
  max_instruments?: number;
  cardinality_limit?: number;
}

/** All of OpenTelemetry. */
export interface OpenTelemetrySectionConfig {
  enabled?: boolean;
  endpoints?: OpenTelemetryEndpointConfig[];
  logs?: OpenTelemetryLogSectionConfig;
  metrics?: OpenTelemetryMetricSectionConfig;
}

/** The component's configuration. */
export interface Config {
  version?: number;
  atof?: AtofConfig;
  atif?: AtifConfig;
  opentelemetry?: OpenTelemetrySectionConfig;
  enable_full_payloads?: boolean;
  policy?: ConfigPolicy;
}

/** Nothing is exported. */
export function defaultConfig(): Config {
  return { version: 4 };
}

/** Events as they are. */
export function atofConfig(config: AtofConfig = {}): AtofConfig {
  return { enabled: false, ...config };
}

/** Trajectories. */
export function atifConfig(config: AtifConfig = {}): AtifConfig {
  return {
    enabled: false,
    agent_name: "Troupe",
    filename_template: "troupe-relay-atif-{session_id}.json",
    ...config,
  };
}

/** A collector of traces. */
export function openTelemetryEndpoint(config: OpenTelemetryEndpointConfig): OpenTelemetryEndpointConfig {
  return { transport: "http_binary", service_name: "unknown_service", timeout_millis: 3_000, ...config };
}

/** A collector of logs or metrics. */
export function openTelemetrySignalEndpoint(
  config: OpenTelemetrySignalEndpointConfig,
): OpenTelemetrySignalEndpointConfig {
  return { transport: "http_binary", service_name: "unknown_service", timeout_millis: 3_000, ...config };
}

/** Marks as log records. */
export function openTelemetryLogConfig(
  config: OpenTelemetryLogSectionConfig = {},
): OpenTelemetryLogSectionConfig {
  return { enabled: false, minimum_severity: "info", scheduled_delay_millis: 1_000, ...config };
}

/** Metric marks as metrics. */
export function openTelemetryMetricConfig(
  config: OpenTelemetryMetricSectionConfig = {},
): OpenTelemetryMetricSectionConfig {
  return {
    ...{ enabled: false, export_interval_millis: 60_000, temporality: "cumulative" },
    ...{ max_instruments: 256, cardinality_limit: 2_000 },
    ...config,
  };
}

/** All of OpenTelemetry. */
export function openTelemetryConfig(config: OpenTelemetrySectionConfig = {}): OpenTelemetrySectionConfig {
  return { enabled: false, endpoints: [], ...config };
}

/** An entry of a document. */
export function ComponentSpec(config: Config, options: { readonly enabled?: boolean } = {}): Spec {
  return specOf(OBSERVABILITY_PLUGIN_KIND, config, options);
}
