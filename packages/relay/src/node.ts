export type { CreateRelayOptions } from "./create-relay.ts";
export { createRelay } from "./create-relay.ts";
export type { AtofExporterOptions } from "./exporters/atof-exporter.ts";
export { AtofExporter } from "./exporters/atof-exporter.ts";
