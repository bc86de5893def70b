/**
 * What `setup` takes, and what is refused of it.
 */
import { nearest } from "@troupe/base";
import { checkName } from "@troupe/protocol";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { checkNamespaceName } from "../engine/catalogue.ts";
import { configErrors, setupErrors } from "../errors.ts";
import type { AccessConfig } from "../gateway/access.ts";
import { checkAccess } from "../gateway/access-lists.ts";
import type { AppFetch } from "../gateway/app.ts";
import { checkInspector, type InspectorConfig } from "../inspector/config.ts";
import type { PluginSet } from "../ports/plugin-set.ts";
import { parseRateLimits, type RateLimits } from "../rate-limit/rate-limits.ts";
import { checkHosts, type HostsConfig } from "../remote/host-tokens.ts";
import { type RelaySetting, relayOf } from "../traced/tracing.ts";
import { isWithoutEffect, type SettingsWithoutEffect } from "./rivetkit-settings.ts";
import { checkChoice, type RuntimeChoice } from "./runtime-choice.ts";

/** Names to definitions. */
export type Definitions = Readonly<Record<string, AnyActorDefinition>>;

/** What `setup` takes. */
export interface RegistryConfig<U extends Definitions>
  extends AccessConfig,
    RuntimeChoice,
    SettingsWithoutEffect {
  /** Names to definitions. */
  readonly use: U;
  /** Awake actors at once; past it the longest idle sleep early. */
  readonly maxAwakeActors?: number;
  /** How often actors may be called that say nothing of it themselves (`options.rateLimit`). Default: no limit. */
  readonly rateLimit?: RateLimits;
  /** Takes remote hosts that show a token; without it none. For actors made with `remoteActor()`, or for any. */
  readonly hosts?: HostsConfig;
  /**
   * Namespaces that there are beside the default one, made when there is none of the name: sets of actors of the same
   * definitions that never see each other.
   */
  readonly namespaces?: readonly string[];
  /** Plugins that start before the door opens and end last: `pluginSet` of `troupe/plugins`. */
  readonly plugins?: PluginSet;
  /** Lets people look into actors under `/inspector`, with a token of its own. Off by default. */
  readonly inspector?: InspectorConfig;
  /**
   * Every action, hook, schedule and message runs in a scope of this relay, under its guardrails for actions, and leaves
   * events; `c.tool` and `c.llm` run under all of its middleware. Events tell no arguments and no results of actions, unless
   * it is `{ on: relay, payloads: true }`. Default: that of `plugins`, where they have one.
   */
  readonly relay?: RelaySetting;
  /**
   * Answers every HTTP request that isn't for the gateway (`/actor/…`, `/actor-id/…`, `/livez`, `/readyz`,
   * `/metrics`): a page and an API of your own beside the actors. `gateway.not_found` without it.
   *
   * It sees what the rules of access let in; preflights (OPTIONS) and CORS headers stay the registry's. The response
   * is read whole before it leaves. What it throws is answered as an action's error is: a UserError as it is, anything
   * else as `internal.error` with status 500.
   *
   * ```ts
   * setup({ use: { counter }, fetch: (request) => new Response(`Hello from ${new URL(request.url).pathname}`) });
   * ```
   */
  readonly fetch?: AppFetch;
}

/** The keys of `setup` that have an effect. */
export const configKeys: readonly string[] = [
  "use",
  "maxAwakeActors",
  "rateLimit",
  "hosts",
  "namespaces",
  "plugins",
  "inspector",
  "relay",
  "fetch",
  "runtime",
  "sql",
  "allowedHosts",
  "allowedOrigins",
  "auth",
  "token",
];

function checkRelay(setting: RelaySetting | undefined): void {
  if (setting === undefined) return;
  const relay: unknown =
    typeof setting === "object" && setting !== null && "on" in setting ? setting.on : setting;
  if (typeof relay !== "object" || relay === null || !("withScopeStack" in relay))
    throw configErrors.invalidOption("relay", "a relay made by createRelay(), or { on: relay, payloads }");
}

/** Throws `config.*`, `namespace.invalid_name`. */
export function checkConfig(config: RegistryConfig<Definitions>): void {
  for (const [key, value] of Object.entries(config ?? {})) {
    if (!configKeys.includes(key) && !isWithoutEffect(key, value))
      throw setupErrors.unknownSetupKey(key, nearest(key, configKeys));
  }
  if (typeof config?.use !== "object" || config.use === null) {
    throw configErrors.invalidOption("use", "an object of actors by name: setup({ use: { counter } })");
  }
  checkChoice(config);
  checkAccess(config);
  checkInspector(config.inspector);
  checkRelay(config.relay);
  const [relay, registered] = [relayOf(config.relay), config.plugins?.relay];
  if (relay !== undefined && registered !== undefined && relay !== registered) throw setupErrors.twoRelays();
  const { maxAwakeActors, rateLimit } = config;
  if (rateLimit !== undefined) parseRateLimits(rateLimit);
  if (maxAwakeActors !== undefined && !(Number.isInteger(maxAwakeActors) && maxAwakeActors > 0))
    throw configErrors.invalidOption("maxAwakeActors", "a whole number, 1 or more");
  checkHosts(config.hosts);
  checkNamespaces(config.namespaces);
  if (config.plugins !== undefined && typeof config.plugins?.start !== "function")
    throw configErrors.invalidOption("plugins", "what pluginSet() of troupe/plugins gives");
  if (config.fetch !== undefined && typeof config.fetch !== "function") {
    throw configErrors.invalidOption("fetch", "a function from a Request to a Response");
  }
  for (const [name, definition] of Object.entries(config.use)) {
    checkName(name);
    if (definition?.descriptor === undefined || definition.behaviour === undefined) {
      throw configErrors.invalidOption(`use.${name}`, "a definition made by actor()");
    }
  }
}

function checkNamespaces(names: readonly string[] | undefined): void {
  if (names === undefined) return;
  if (!Array.isArray(names)) throw configErrors.invalidOption("namespaces", "a list of names");
  for (const name of names) checkNamespaceName(name);
}
