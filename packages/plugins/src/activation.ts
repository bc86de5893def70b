export type { ActivateOptions, DeactivationReport, SkippedPlugin } from "./activation/activate-plugins.ts";
export { ActivePlugins, activatePlugins } from "./activation/activate-plugins.ts";
export type { PluginStatus } from "./activation/active-plugin.ts";
export { installedPlugins, type PluginReference } from "./activation/named-plugin.ts";
export type { SupervisedState } from "./activation/supervised-session.ts";
