/** Builders of configurations of the component "adaptive". */

import {
  type ConfigPolicy,
  type ComponentSpec as Spec,
  ComponentSpec as specOf,
} from "./components/config.ts";
import { checkReadable } from "./given.ts";

/** The component's kind. */
export const ADAPTIVE_PLUGIN_KIND = "adaptive";

/** Where answers are kept: in memory. */
export interface BackendSpec {
  kind: string;
  config?: Record<string, never>;
}

/** What inference servers are told of a request. */
export interface AdaptiveHintsConfig {
  /** Default: 100. */
  priority?: number;
  break_chain?: boolean;
  /** In `x-nemo-relay-adaptive-agent-hints`. Default: true. */
  inject_header?: boolean;
  /** Names with dots; empty: not in the body. Default: "nvext.agent_hints". */
  inject_body_path?: string;
}

/** How some tools' results are kept. */
export interface ToolClass extends ToolOverride {
  /** Names, `prefix*`, `*suffix` or `*within*`. */
  members?: string[];
}

/** As `ToolClass`, for one tool. */
export interface ToolOverride {
  /** Default: false. */
  cacheable?: boolean;
  ttlSeconds?: number;
  bypassRate?: number;
  toolVersion?: string;
  /** Arguments that aren't part of the key. */
  argSkip?: string[];
}

/** Tools whose results are kept. */
export interface ToolCacheConfig {
  enabled?: boolean;
  /** Default: 100. */
  priority?: number;
  default?: ToolClass;
  classes?: Record<string, ToolClass>;
  overrides?: Record<string, ToolOverride>;
}

/** Which answers are kept. */
export interface ResponseCacheConfig {
  /** Default: 3,600. */
  ttlSeconds?: number;
  /** Who shares the answers: needed. */
  namespace?: string;
  /** Default: 50. */
  priority?: number;
  /** From 0 to 1: how often the cache isn't asked. */
  bypassRate?: number;
  /** Keeps answers to requests without `temperature: 0` as well. Default: false. */
  cacheNondeterministic?: boolean;
  keyStrategy?: "exact_request";
  /** Headers that are part of the key. */
  headerAllowlist?: string[];
  backend?: BackendSpec;
  tools?: ToolCacheConfig;
}

/** The component's configuration. */
export interface Config {
  version?: number;
  /** Default: the name of the innermost agent's scope. */
  agent_id?: string;
  adaptive_hints?: AdaptiveHintsConfig;
  responseCache?: ResponseCacheConfig;
  policy?: ConfigPolicy;
}

/** Nothing. */
export function defaultConfig(): Config {
  return { version: 1 };
}

/** Answers are kept in memory. */
export function inMemoryBackend(): BackendSpec {
  return { kind: "in_memory", config: {} };
}

/** Hints in the header and in the body. */
export function adaptiveHintsConfig(config: AdaptiveHintsConfig = {}): AdaptiveHintsConfig {
  return {
    ...{ priority: 100, break_chain: false, inject_header: true },
    inject_body_path: "nvext.agent_hints",
    ...config,
  };
}

/** Answers are kept for an hour; who shares them must be said. */
export function responseCacheConfig(config: ResponseCacheConfig = {}): ResponseCacheConfig {
  return {
    ...{ ttlSeconds: 3_600, priority: 50, bypassRate: 0, cacheNondeterministic: false },
    keyStrategy: "exact_request",
    headerAllowlist: [],
    backend: inMemoryBackend(),
    ...config,
  };
}

/** An entry of a document. */
export function ComponentSpec(config: Config, options: { readonly enabled?: boolean } = {}): Spec {
  checkReadable(config, "config");
  const { responseCache, ...rest } = config;
  const cache = responseCache === undefined ? {} : { response_cache: cached(responseCache) };
  return specOf(ADAPTIVE_PLUGIN_KIND, { ...rest, ...cache }, options);
}

/** Options have names in camel case, documents in snake case. Names of classes and tools stay. */
function cached({ tools, ...config }: ResponseCacheConfig): object {
  if (tools === undefined) return snakeCased(config);
  const { default: usual, classes, overrides, ...rest } = tools;
  const told = {
    ...snakeCased(rest),
    ...(usual === undefined ? {} : { default: snakeCased(usual) }),
    ...(classes === undefined ? {} : { classes: eachSnakeCased(classes) }),
    ...(overrides === undefined ? {} : { overrides: eachSnakeCased(overrides) }),
  };
  return { ...snakeCased(config), tools: told };
}

function eachSnakeCased(given: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(given).map(([name, each]) => [name, snakeCased(each)]));
}

function snakeCased(given: object): object {
  const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [snake(key), value]));
}
