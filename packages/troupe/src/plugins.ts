export type { PluginActorOptions } from "@troupe/plugins";
export {
  type ActivateOptions,
  ActivePlugins,
  activatePlugins,
  type Capability,
  type DeactivationReport,
  inspectPlugin,
  MANIFEST_NAME,
  type PluginInspection,
  type PluginManifest,
  type PluginSource,
  type PluginStatus,
  parseManifest,
  pluginActor,
  type SkippedPlugin,
  type Startup,
  type WorkerDescription,
} from "@troupe/plugins";
