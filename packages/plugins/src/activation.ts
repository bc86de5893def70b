export type { ActivateOptions, DeactivationReport, SkippedPlugin } from "./activation/activate-plugins.ts";
export { ActivePlugins, activatePlugins } from "./activation/activate-plugins.ts";
export type { PluginStatus } from "./activation/active-plugin.ts";
export type { PluginInspection } from "./activation/inspect-plugin.ts";
export { inspectPlugin } from "./activation/inspect-plugin.ts";
export { installedPlugins, type PluginReference } from "./activation/named-plugin.ts";
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
export type { SupervisedState } from "./activation/supervised-session.ts";
