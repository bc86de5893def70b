/** The component "observability": exporters, by configuration. */
import { join } from "node:path";
import { isList, isObject, type JsonObject, text } from "../codecs/json.ts";
import type { Component, ComponentContext } from "../components/component.ts";
import { type FieldRules, type Findings, rules } from "../components/findings.ts";
import type { Json } from "../events/event.ts";
import { AtifFiles } from "./atif-files.ts";
import { AtofExporter, type AtofExporterOptions } from "./atof-exporter.ts";
import { headersOf } from "./headers.ts";
import { OpenTelemetryLogSubscriber } from "./opentelemetry/log-exporter.ts";
import { OpenTelemetryMetricSubscriber } from "./opentelemetry/metric-exporter.ts";
import { OpenTelemetrySubscriber } from "./opentelemetry/trace-exporter.ts";

const prefixes = { promote_metadata_prefixes: rules.texts };
const target: FieldRules = {
  endpoint: (value) => (typeof value === "string" && URL.canParse(value) ? undefined : "an absolute address"),
  transport: rules.oneOf("http_binary", "http_json", "grpc"),
  headers: rules.headers,
  header_env: rules.headers,
  resource_attributes: rules.headers,
  service_name: rules.text,
  service_namespace: rules.text,
  service_version: rules.text,
  instrumentation_scope: rules.text,
  timeout_millis: rules.from(1),
  include_secrets: rules.flag,
};
const traceRules: FieldRules = {
  ...target,
  ...prefixes,
  type: rules.oneOf("full", "gen_ai", "openinference"),
  mark_projection: rules.oneOf("inherit", "event", "tool"),
  mark_exclude_names: rules.texts,
  attribute_mappings: rules.objects,
  capture_content: rules.flag,
  scheduled_delay_millis: rules.from(0),
};
const sinks: FieldRules = {
  type: rules.oneOf("file", "stream"),
  name: rules.text,
  output_directory: rules.text,
  filename: rules.text,
  mode: rules.oneOf("append", "overwrite"),
  max_bytes: rules.from(1),
  max_files: rules.from(0),
  url: (value) => (typeof value === "string" && URL.canParse(value) ? undefined : "an absolute address"),
  transport: rules.oneOf("http_post", "websocket", "ndjson"),
  headers: rules.headers,
  header_env: rules.headers,
  timeout_millis: rules.from(1),
  field_name_policy: rules.oneOf("preserve", "replace_dots"),
  include_secrets: rules.flag,
};
const configRules: FieldRules = {
  version: rules.oneOf(4),
  atof: { enabled: rules.flag, sinks: rules.objects },
  atif: {
    enabled: rules.flag,
    agent_name: rules.text,
    agent_version: rules.text,
    model_name: rules.text,
    tool_definitions: rules.objects,
    extra: rules.object,
    output_directory: rules.text,
    filename_template: (value) =>
      typeof value === "string" && value.includes("{session_id}")
        ? undefined
        : "a name with {session_id} in it",
    include_secrets: rules.flag,
  },
  opentelemetry: {
    enabled: rules.flag,
    endpoints: rules.objects,
    logs: {
      enabled: rules.flag,
      endpoints: rules.objects,
      minimum_severity: rules.oneOf("trace", "debug", "info", "warn", "error"),
      scheduled_delay_millis: rules.from(0),
    },
    metrics: {
      enabled: rules.flag,
      endpoints: rules.objects,
      export_interval_millis: rules.from(1),
      temporality: rules.oneOf("cumulative", "delta", "low_memory"),
      max_instruments: rules.from(1),
      cardinality_limit: rules.from(1),
    },
  },
  // Requests are told whole in any case.
  enable_full_payloads: rules.flag,
  policy: rules.object,
};

/** Exporters, by configuration. */
export const observabilityComponent: Component = {
  validate: (config, findings) => {
    findings.check(config, configRules);
    checkEach(
      section(config, "atof"),
      "sinks",
      "atof.",
      { fields: sinks, needed: ({ type }) => (type === "stream" ? ["url"] : []) },
      findings,
    );
    const telemetry = section(config, "opentelemetry");
    const traces = { fields: traceRules, needed: () => ["type", "endpoint"] };
    checkEach(telemetry, "endpoints", "opentelemetry.", traces, findings);
    for (const signal of ["logs", "metrics"]) {
      const endpoint = { fields: target, needed: () => ["endpoint"] };
      checkEach(section(telemetry, signal), "endpoints", `opentelemetry.${signal}.`, endpoint, findings);
    }
  },
  register: (config, context) => {
    const atof = section(config, "atof");
    for (const [n, sink] of listed(atof, "sinks").entries())
      context.registerExporter(
        `atof-${n}`,
        new AtofExporter(camelCased<AtofExporterOptions>(sink)),
        madeOf(sink),
      );
    const atif = section(config, "atif");
    if (atif.enabled === true) context.registerExporter("atif", atifFiles(atif), madeOf(atif));
    registerTelemetry(section(config, "opentelemetry"), context);
  },
};

function registerTelemetry(telemetry: JsonObject, context: ComponentContext): void {
  if (telemetry.enabled !== true) return;
  const traces = listed({ ...telemetry, enabled: true }, "endpoints");
  for (const [n, endpoint] of traces.entries())
    context.registerExporter(
      `traces-${n}`,
      new OpenTelemetrySubscriber(camelCased(endpoint)),
      madeOf(endpoint),
    );
  const logs = section(telemetry, "logs");
  for (const [n, endpoint] of listed(logs, "endpoints").entries()) {
    const options = { ...shared(logs), ...endpoint };
    context.registerExporter(
      `logs-${n}`,
      new OpenTelemetryLogSubscriber(camelCased(options)),
      madeOf(options),
    );
  }
  const metrics = section(telemetry, "metrics");
  for (const [n, endpoint] of listed(metrics, "endpoints").entries()) {
    const options = { ...shared(metrics), ...endpoint };
    context.registerExporter(
      `metrics-${n}`,
      new OpenTelemetryMetricSubscriber(camelCased(options)),
      madeOf(options),
    );
  }
}

/** All that an exporter is made of: variables may have changed since the last one was. */
function madeOf(config: JsonObject): unknown {
  return { config, headers: headersOf(camelCased(config)) };
}

function atifFiles(atif: JsonObject): AtifFiles {
  const folder = text(atif.output_directory) ?? ".";
  const template = text(atif.filename_template) ?? "troupe-relay-atif-{session_id}.json";
  return new AtifFiles(
    { agentName: "Troupe", agentVersion: "unknown", ...camelCased<object>(atif) },
    (sessionId) => join(folder, template.replaceAll("{session_id}", sessionId)),
  );
}

/** `needed`: fields of an entry that have no default. */
function checkEach(
  of: JsonObject,
  list: string,
  at: string,
  {
    fields,
    needed,
  }: { readonly fields: FieldRules; readonly needed: (entry: JsonObject) => readonly string[] },
  findings: Findings,
): void {
  const given = of[list];
  for (const [n, entry] of (isList(given) ? given.filter(isObject) : []).entries()) {
    const place = `${at}${list}[${n}].`;
    findings.check(entry, fields, place);
    for (const name of needed(entry)) {
      const rule = fields[name];
      const expected = Object.hasOwn(entry, name) || typeof rule !== "function" ? undefined : rule(null);
      if (expected !== undefined) findings.unsupported(`${place}${name}`, expected);
    }
  }
}

function section(config: JsonObject, name: string): JsonObject {
  const found = config[name];
  return isObject(found) ? found : {};
}

/** The entries of a section that is enabled. */
function listed(of: JsonObject, list: string): readonly JsonObject[] {
  const given = of[list];
  return of.enabled === true && isList(given) ? given.filter(isObject) : [];
}

/** What a section says for all of its endpoints. */
function shared(of: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(of).filter(([key]) => key !== "enabled" && key !== "endpoints"));
}

/** Names as options have them. The configuration was checked by then; what is missing the exporter refuses. */
function camelCased<T>(config: JsonObject): T {
  const entries = Object.entries(config).map(([key, value]): readonly [string, Json] => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  const options: unknown = Object.fromEntries(entries);
  return options as T;
}
