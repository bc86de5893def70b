/**
 * The options of `useActor`, and what makes two of them one actor.
 *
 * Components write their options as object literals, so a new object comes with every render. Whether anything has
 * changed is therefore a matter of what they say: equal options have equal texts.
 */
import { encodeJson, normalizeKey } from "@troupe/protocol";
import type { ExtractActorsFromRegistry, InputOf, ParamsOf, Registry } from "../contract.ts";
import { clientErrors } from "../errors.ts";
import type { ActorKey } from "../types.ts";

/** The names of a registry's actors. */
export type ActorNameOf<R extends Registry> = keyof ExtractActorsFromRegistry<R> & string;

/** What `useActor` takes. A new object with the same values is no change. */
export interface ActorOptions<R extends Registry, N extends ActorNameOf<R>> {
  /** The actor's name in the registry. */
  readonly name: N;
  /** The key of the instance: `"abc"` and `["abc"]` are the same. */
  readonly key: ActorKey;
  /** Connection parameters. Other parameters are another connection. */
  readonly params?: ParamsOf<ExtractActorsFromRegistry<R>[N]> | undefined;
  /** The input of the actor, if this connection is what creates it. Who mounts first decides. */
  readonly createWithInput?: InputOf<ExtractActorsFromRegistry<R>[N]> | undefined;
  /** RivetKit's: there are no regions here, which is said once in the log. */
  readonly createInRegion?: string | undefined;
  /** Default: true. Without it this component connects to nothing and shows nothing. */
  readonly enabled?: boolean | undefined;
  /** Finds the actor and never creates it: where there is none, `error` is `actor.not_found`. Default: false. */
  readonly noCreate?: boolean | undefined;
}

/** Options of an actor whose types aren't known. */
export type AnyActorOptions = ActorOptions<Registry, string>;

/** Options with `enabled` said. */
export type SettledOptions<O extends AnyActorOptions = AnyActorOptions> = O & { readonly enabled: boolean };

const OPTIONS: ReadonlySet<string> = new Set<keyof AnyActorOptions>([
  "name",
  "key",
  "params",
  "createWithInput",
  "createInRegion",
  "enabled",
  "noCreate",
]);

/** The options with their default. Throws `client.unknown_option`. */
export function settledOptions<O extends AnyActorOptions>(options: O): SettledOptions<O> {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.has(name)) throw clientErrors.unknownOption(name, [...OPTIONS], "useActor");
  }
  return { ...options, enabled: options.enabled ?? true };
}

/** Equal for options that share one connection. Throws errors of group `value` for what can't be sent. */
export function hashOf({ name, key, params, noCreate }: AnyActorOptions): string {
  return textOf([name, normalizeKey(key), params, noCreate ?? false]);
}

/** Equal for options that say the same. */
export function textOf(value: unknown): string {
  return JSON.stringify(JSON.parse(encodeJson(value)), inOrder);
}

/** For `JSON.stringify`: objects with their properties in one order, however they were written. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
