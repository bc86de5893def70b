export type { EdgePluginOptions } from "@troupe/plugins/edge";
export { pluginActor } from "@troupe/plugins/edge";
