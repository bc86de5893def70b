export type { AllowedTarget, Credential, NetworkConfig } from "@troupe/runtime/egress";
export type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "./carrier.ts";
export type { NativeCarrierOptions } from "./carriers/native/native-carrier.ts";
export { nativeCarrier } from "./carriers/native/native-carrier.ts";
export type { WasmCarrierOptions } from "./carriers/wasm/wasm-carrier.ts";
export { wasmCarrier } from "./carriers/wasm/wasm-carrier.ts";
export type { PluginActorTerms } from "./code-actor.ts";
export type { FileGrant } from "./dynamic/files/file-grants.ts";
export type { DynamicGrants } from "./dynamic/grants.ts";
export type { ActorSource, DynamicSource, IsolateLimits, SourceFormat } from "./dynamic/source.ts";
export type {
  DynamicActorAuth,
  DynamicActorConfig,
  DynamicActorDefinition,
  DynamicActorLoader,
  DynamicActorOptions,
  DynamicTerms,
  LoadContext,
} from "./dynamic-actor.ts";
export { dynamicActor } from "./dynamic-actor.ts";
export { createNativePluginFactory, type NativePluginFactoryOptions } from "./native-plugin-factory.ts";
export type {
  LibraryCode,
  NamedPlugin,
  PluginActorOptions,
  WasmCode,
} from "./plugin-actor.ts";
export { pluginActor } from "./plugin-actor.ts";
export { type PluginSetOptions, pluginSet, RegistryPlugins } from "./plugin-set.ts";
export type { PluginDeclarations } from "./session/declarations.ts";
export type { InvokeOptions } from "./session/invocations.ts";
export type { OpenSessionOptions } from "./session/open-session.ts";
export { openSession } from "./session/open-session.ts";
export type { SessionEnv } from "./session/session.ts";
export { PluginSession } from "./session/session.ts";
