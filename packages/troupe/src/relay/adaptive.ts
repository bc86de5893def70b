export type {
  AdaptiveHintsConfig,
  BackendSpec,
  Config,
  ResponseCacheConfig,
  ToolCacheConfig,
  ToolClass,
  ToolOverride,
} from "@troupe/relay/adaptive";
export {
  ADAPTIVE_PLUGIN_KIND,
  adaptiveHintsConfig,
  ComponentSpec,
  defaultConfig,
  inMemoryBackend,
  responseCacheConfig,
} from "@troupe/relay/adaptive";
