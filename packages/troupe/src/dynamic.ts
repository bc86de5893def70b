export type {
  DynamicActorConfig,
  DynamicActorDefinition,
  DynamicActorLoader,
  DynamicActorOptions,
  DynamicSource,
  DynamicSource as DynamicActorSource,
  IsolateLimits,
  LoadContext,
  LoadContext as DynamicActorLoadContext,
} from "@troupe/plugins";
export { dynamicActor } from "@troupe/plugins";
