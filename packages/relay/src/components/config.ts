/**
 * Configuration of components: one document, checked as a whole before anything of it takes effect.
 *
 * Names and shapes are those of the format. What a check finds is told as diagnostics; those of level "error" keep the
 * document from taking effect.
 */

import type { JsonObject } from "../codecs/json.ts";
import { checkReadable } from "../given.ts";

/** What becomes of something that isn't supported. */
export type UnsupportedBehavior = "ignore" | "warn" | "error";

/** How strict the checks are. */
export interface ConfigPolicy {
  /** A kind that nobody knows. Default: "warn"; the component has no effect. */
  unknown_component?: UnsupportedBehavior;
  /** A field that nobody knows. Default: "warn". */
  unknown_field?: UnsupportedBehavior;
  /** A value that isn't supported. Default: "error". */
  unsupported_value?: UnsupportedBehavior;
}

/** One thing that a check found. */
export interface ConfigDiagnostic {
  level: "warning" | "error";
  /** Stable: `pii_redaction.unsupported_value`. */
  code: string;
  /** The kind of the component. */
  component?: string;
  /** The path of the field below the component's configuration. */
  field?: string;
  message: string;
}

/** Something that went wrong while components ran. */
export interface ComponentDiagnostic {
  code: string;
  component: string;
  message: string;
  count: number;
}

/** What is to be said of a document. */
export interface ConfigReport {
  diagnostics: ConfigDiagnostic[];
  /** Of the components that run. */
  runtime_diagnostics: ComponentDiagnostic[];
}

/** A component. */
export interface ComponentSpec {
  kind: string;
  /** Default: true. One that isn't enabled is checked, and has no effect. */
  enabled?: boolean;
  config?: object;
}

/** The document. */
export interface PluginConfig {
  /** 1. */
  version?: number;
  components?: ComponentSpec[];
  policy?: ConfigPolicy;
}

/** A component as it runs. */
export interface CheckedComponent {
  readonly kind: string;
  readonly config: JsonObject;
}

/** A document without components. */
export function defaultConfig(): PluginConfig {
  return { version: 1, components: [] };
}

/** An entry of a document. */
export function ComponentSpec(
  kind: string,
  config: object = {},
  options: { readonly enabled?: boolean } = {},
): ComponentSpec {
  checkReadable(config, "config");
  checkReadable(options);
  return { kind, enabled: options.enabled ?? true, config };
}
