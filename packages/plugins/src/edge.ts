export type { EdgePluginOptions } from "./edge/plugin-actor.ts";
export { pluginActor } from "./edge/plugin-actor.ts";
