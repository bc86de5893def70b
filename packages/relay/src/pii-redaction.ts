/** Builders of configurations of the component "pii_redaction". */

import type { ConfigPolicy } from "./components/config.ts";
import { type ComponentSpec as Spec, ComponentSpec as specOf } from "./components/config.ts";
import type { DetectorName } from "./redaction/detectors.ts";

export type { DetectorName } from "./redaction/detectors.ts";
export { detectorNames } from "./redaction/detectors.ts";

/** The component's kind. */
export const PII_REDACTION_PLUGIN_KIND = "pii_redaction";

/** One thing to do. `redaction/redaction.ts` says what each field means. */
export interface BuiltinConfig {
  /** Default: "remove", which needs `target_paths`. */
  action?: "remove" | "redact" | "regex_replace" | "hash" | "mask";
  target_paths?: string[];
  target_path_globs?: string[];
  pattern?: string;
  detector?: DetectorName;
  replacement?: string;
  mask_char?: string;
  unmasked_prefix?: number;
  unmasked_suffix?: number;
}

/** The component's configuration. */
export interface Config {
  version?: number;
  mode?: "builtin";
  /** Requests to models, and the beginnings of other scopes. Default: true, as all of these. */
  input?: boolean;
  output?: boolean;
  tool_input?: boolean;
  tool_output?: boolean;
  mark?: boolean;
  /** Of the sanitizers that it registers. Default: 100. */
  priority?: number;
  codec?: string;
  builtin?: BuiltinConfig;
  /** More of them, applied in order behind `builtin`. */
  profiles?: BuiltinConfig[];
  policy?: ConfigPolicy;
}

/** Everything is looked at. */
export function defaultConfig(): Config {
  return {
    version: 1,
    mode: "builtin",
    ...{ input: true, output: true, tool_input: true, tool_output: true, mark: true },
    priority: 100,
  };
}

/** One thing to do. */
export function builtinConfig(config: BuiltinConfig = {}): BuiltinConfig {
  return { action: "remove", ...config };
}

/** An entry of a document. */
export function ComponentSpec(config: Config, options: { readonly enabled?: boolean } = {}): Spec {
  return specOf(PII_REDACTION_PLUGIN_KIND, config, options);
}
