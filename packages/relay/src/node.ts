export type { CreateRelayOptions } from "./create-relay.ts";
export { createRelay } from "./create-relay.ts";
export { atifSchema } from "./exporters/atif/schema.ts";
export type {
  AtifAgent,
  AtifFinalMetrics,
  AtifMetrics,
  AtifResult,
  AtifStep,
  AtifToolCall,
  AtifTrajectory,
} from "./exporters/atif/trajectory.ts";
export type { AtifExporterOptions } from "./exporters/atif-exporter.ts";
export { AtifExporter } from "./exporters/atif-exporter.ts";
export type { AtofExporterOptions, AtofFileOptions, AtofStreamOptions } from "./exporters/atof-exporter.ts";
export { AtofExporter } from "./exporters/atof-exporter.ts";
export type { ExporterOptions, RuntimeDiagnostic } from "./exporters/exporter.ts";
export { PrometheusExporter } from "./exporters/prometheus-exporter.ts";
export { platformEnv } from "./platform.ts";
