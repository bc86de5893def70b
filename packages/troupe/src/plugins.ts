export type { PluginActorOptions } from "@troupe/plugins";
export { pluginActor } from "@troupe/plugins";
