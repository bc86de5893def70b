export type { BuiltinConfig, Config, DetectorName } from "@troupe/relay/pii-redaction";
export {
  builtinConfig,
  ComponentSpec,
  defaultConfig,
  detectorNames,
  PII_REDACTION_PLUGIN_KIND,
} from "@troupe/relay/pii-redaction";
