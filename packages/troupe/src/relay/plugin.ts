export type {
  Activation,
  Component,
  ComponentContext,
  ComponentDiagnostic,
  ComponentPorts,
  ConfigDiagnostic,
  ConfigPolicy,
  ConfigReport,
  FieldRule,
  FieldRules,
  Findings,
  PluginConfig,
  RelayComponents,
  UnsupportedBehavior,
} from "@troupe/relay/plugin";
export { ComponentSpec, Components, createComponents, defaultConfig } from "@troupe/relay/plugin";
