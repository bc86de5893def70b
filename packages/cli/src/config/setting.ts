/**
 * Settings of a gateway, whoever started it, and where each comes from: a flag, a variable, the project's file, the user's file, or the
 * default, in that order. A list or a table is one value: what stands above replaces it, and never adds to it.
 */

import type { ProviderFamily } from "@troupe/relay/model-proxy";
import type { PluginConfig } from "@troupe/relay/plugin";

/** Whose requests an upstream takes; `any`: those that have none of their own. */
export type UpstreamName = ProviderFamily | "any";

/** All of them. */
export const upstreamNames: readonly UpstreamName[] = ["openai", "anthropic", "gemini", "any"];

/** Where a secret is. It is never in a configuration itself. */
export type KeySource = { readonly variable: string } | { readonly file: string };

/** A provider: its address, and the key that goes there and nowhere else. */
export interface UpstreamSetting {
  readonly url: URL;
  /** In the place of the agent's own. */
  readonly key?: KeySource;
}

/** What is set, checked; paths are absolute. */
export interface Settings {
  readonly bind: { readonly host: string; readonly port: number };
  /** Manifests, in the order of their activation. */
  readonly plugins: readonly string[];
  /** False: plugins that are installed aren't activated. */
  readonly installed: boolean;
  /** The trace's file. */
  readonly atof: string | undefined;
  /** What becomes of requests that may ask a model in a way that nobody here knows: no guardrail sees them. */
  readonly unknownPaths: "pass" | "refuse";
  /** The relay's components. */
  readonly components: PluginConfig | undefined;
  /** False: `troupe run` says nothing at its end. */
  readonly summary: boolean;
}

/** A value and its source, for people: `--bind`, `TROUPE_ATOF`, `/p/troupe.toml:3`, `default`. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: string;
}

/** What one source gives. */
export type Given = { readonly [Name in keyof Settings]?: Sourced<Settings[Name]> } & {
  readonly upstreams?: Readonly<Partial<Record<UpstreamName, Sourced<UpstreamSetting>>>>;
};

/** All of it. */
export type Configuration = { readonly [Name in keyof Settings]: Sourced<Settings[Name]> } & {
  readonly upstreams: Readonly<Partial<Record<UpstreamName, Sourced<UpstreamSetting>>>>;
};

/** What each value is called in a file. */
export const names: Readonly<Record<keyof Settings, string>> = {
  bind: "gateway.bind",
  plugins: "gateway.plugins",
  installed: "gateway.installed",
  atof: "gateway.atof",
  unknownPaths: "gateway.unknown_paths",
  components: "components",
  summary: "run.summary",
};

function byDefault<T>(value: T): Sourced<T> {
  return { value, source: "default" };
}

const defaults = {
  bind: byDefault({ host: "127.0.0.1", port: 4040 }),
  plugins: byDefault([]),
  installed: byDefault(true),
  atof: byDefault(undefined),
  unknownPaths: byDefault("pass"),
  components: byDefault(undefined),
  summary: byDefault(true),
  upstreams: {},
} as const satisfies Configuration;

/** The values that count; `sources` from the lowest to the highest. */
export function configured(sources: readonly Given[]): Configuration {
  let found: Configuration = defaults;
  for (const given of sources) {
    const { upstreams = {} } = given;
    // An address for all that is said above is for all that was said below as well.
    const kept = upstreams.any === undefined ? found.upstreams : {};
    found = { ...found, ...given, upstreams: { ...kept, ...upstreams } };
  }
  return found;
}
