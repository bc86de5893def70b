export type { PluginInspection } from "./activation/inspect-plugin.ts";
export { inspectPlugin } from "./activation/inspect-plugin.ts";
export type {
  Description,
  FoundPlugins,
  ManifestSource,
  ModuleDescription,
  PluginSource,
  SourceOptions,
  WorkerDescription,
} from "./activation/plugin-source.ts";
export type { RunsIn } from "./activation/prepared-plugin.ts";
export {
  addInstalled,
  decide,
  enabledSources,
  findInstalled,
  type InstalledPlugin,
  type PluginName,
  readInstalled,
  removeInstalled,
  sourceOf,
} from "./installed/installed-plugins.ts";
export { readPolicy } from "./installed/policy.ts";
export type { Decision } from "./installed/state.ts";
export type { Integrity, Isolation, PluginKind, PluginLoad, WorkerRuntime } from "./manifest/load.ts";
export type { PluginManifest, Startup } from "./manifest/manifest.ts";
export { MANIFEST_NAME, parseManifest } from "./manifest/manifest.ts";
export { type Pins, takePins } from "./manifest/pins.ts";
export { type ReadManifest, readManifest } from "./manifest/read-manifest.ts";
export type { Capability } from "./manifest/rules.ts";
export type { SignatureRule, SignatureState, TrustPolicy } from "./manifest/signature.ts";
export { integrityOnly } from "./manifest/signature.ts";
