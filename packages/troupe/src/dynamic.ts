export type { DynamicActorOptions, DynamicSource, IsolateLimits, LoadContext } from "@troupe/plugins";
export { dynamicActor } from "@troupe/plugins";
