export type {
  ActorSource,
  DynamicActorAuth,
  DynamicActorConfig,
  DynamicActorDefinition,
  DynamicActorLoader,
  DynamicActorOptions,
  DynamicSource,
  DynamicSource as DynamicActorSource,
  IsolateLimits,
  LoadContext,
  LoadContext as DynamicActorLoadContext,
  SourceFormat,
} from "@troupe/plugins";
export { dynamicActor } from "@troupe/plugins";
