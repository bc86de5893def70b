export type { AllowedTarget, Credential, NetworkConfig } from "@troupe/runtime/egress";
export type { ActivateOptions, DeactivationReport, SkippedPlugin } from "./activation/activate-plugins.ts";
export { ActivePlugins, activatePlugins } from "./activation/activate-plugins.ts";
export type { PluginStatus } from "./activation/active-plugin.ts";
export type { PluginInspection } from "./activation/inspect-plugin.ts";
export { inspectPlugin } from "./activation/inspect-plugin.ts";
export { installedPlugins, type PluginReference } from "./activation/named-plugin.ts";
export type {
  Description,
  FoundPlugins,
  ManifestSource,
  ModuleDescription,
  PluginSource,
  SourceOptions,
  WorkerDescription,
} from "./activation/plugin-source.ts";
export type { RunsIn } from "./activation/prepared-plugin.ts";
export type { SupervisedState } from "./activation/supervised-session.ts";
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
export {
  addInstalled,
  decide,
  enabledSources,
  findInstalled,
  type InstalledPlugin,
  type PluginName,
  readInstalled,
  removeInstalled,
  sourceOf,
} from "./installed/installed-plugins.ts";
export { readPolicy } from "./installed/policy.ts";
export {
  findScopes,
  policyFile,
  projectFile,
  type ScopeName,
  type Scopes,
  userFile,
} from "./installed/scopes.ts";
export type { Decision } from "./installed/state.ts";
export type { Integrity, Isolation, PluginKind, PluginLoad, WorkerRuntime } from "./manifest/load.ts";
export type { PluginManifest, Startup } from "./manifest/manifest.ts";
export { MANIFEST_NAME, parseManifest } from "./manifest/manifest.ts";
export { type Pins, takePins } from "./manifest/pins.ts";
export { type ReadManifest, readManifest } from "./manifest/read-manifest.ts";
export type { Capability } from "./manifest/rules.ts";
export type { SignatureRule, SignatureState, TrustPolicy } from "./manifest/signature.ts";
export { integrityOnly } from "./manifest/signature.ts";
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
