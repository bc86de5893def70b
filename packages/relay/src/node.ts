export type { CreateRelayOptions } from "./create-relay.ts";
export { createRelay } from "./create-relay.ts";
export type { AtofExporterOptions, AtofFileOptions, AtofStreamOptions } from "./exporters/atof-exporter.ts";
export { AtofExporter } from "./exporters/atof-exporter.ts";
