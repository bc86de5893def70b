export type {
  ActorSource,
  AllowedTarget,
  Credential,
  DynamicActorAuth,
  DynamicActorConfig,
  DynamicActorDefinition,
  DynamicActorLoader,
  DynamicActorOptions,
  DynamicSource,
  DynamicSource as DynamicActorSource,
  FileGrant,
  IsolateLimits,
  LoadContext,
  LoadContext as DynamicActorLoadContext,
  NetworkConfig,
  SourceFormat,
} from "@troupe/plugins";
export { dynamicActor } from "@troupe/plugins";
