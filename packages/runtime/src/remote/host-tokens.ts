/**
 * HostTokens: who may be a host here, and of what.
 */

import type { Env } from "@troupe/base";
import { checkSqlTimeLimit } from "../actor/carried/definition.ts";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { engineErrors } from "../engine/errors.ts";
import { isNamespaceName, NAMESPACE_NAME } from "../engine/namespace-name.ts";
import { isPoolName, POOL_NAME } from "../engine/pool.ts";
import { configErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";
import type { ServerlessPool } from "./allocator.ts";
import { checkServerless } from "./serverless-pools.ts";

/** A token of some hosts. */
export interface HostToken {
  readonly token: string;
  /**
   * The only namespace that its hosts may be in, by its name when the engine starts: a rename keeps the token's right. Default:
   * every one.
   */
  readonly namespace?: string;
  /** The only pool that its hosts may be in. Default: every one. */
  readonly pool?: string;
}

/** `setup({ hosts })`: which remote hosts are taken. */
export interface HostsConfig {
  /** Hosts that show it may be in every namespace and pool. */
  readonly token?: string;
  /** More tokens, which may be for one namespace or pool alone: one can be taken back without the others. */
  readonly tokens?: readonly HostToken[];
  /**
   * `"registered"` (the default): hosts run the actors of `use` that are `remoteActor()`. `"any"`: whatever a host brings
   * is an actor here, without a definition in `use`.
   */
  readonly actors?: "registered" | "any";
  /**
   * With `actors: "any"`: those hosts aren't trusted. The SQL of what they bring runs in processes of its own, and a text of it
   * that takes longer than so many milliseconds is ended with its process (`sql.timed_out`). Default: nothing ends it.
   */
  readonly sqlTimeLimitMs?: number;
  /** Pools whose hosts are functions of a platform: the engine asks for one when an actor waits. */
  readonly serverless?: readonly ServerlessPool[];
  /**
   * Pools whose awake actors are spread anew when a host comes: each host that runs the same has its share then, and nobody's
   * call fails. In other pools actors stay where they are until they sleep. Default: none.
   */
  readonly spread?: readonly string[];
}

/** What the tokens of an engine are kept with. */
export interface HostTokensParts {
  readonly config: HostsConfig | undefined;
  readonly crypto: Env["crypto"];
  /** The id of the namespace that `option` names. Throws `config.invalid_option`. */
  readonly idOf: (option: string, name: string | undefined) => string;
}

/** Where somebody wants to be a host. */
export interface ShownPlace {
  /** The namespace's id; undefined when there is none of the name. */
  readonly id: string | undefined;
  /** Its name, as it was said. */
  readonly namespace: string;
  readonly pool: string;
}

/** A token, and what it is for; what is left out doesn't matter. */
interface KnownToken {
  readonly bytes: Uint8Array;
  readonly namespace: string | undefined;
  readonly pool: string | undefined;
}

/**
 * The tokens of one engine. Each is for a namespace's id: its name is looked up once, when the engine starts, so that a rename
 * keeps its right, and another namespace that is given the old name later doesn't get it.
 */
export class HostTokens {
  readonly #crypto: Env["crypto"];
  readonly #tokens: readonly KnownToken[];

  /** Throws `config.invalid_option`. */
  constructor({ config, crypto, idOf }: HostTokensParts) {
    const { token, tokens = [] } = config ?? {};
    const all: readonly HostToken[] = token === undefined ? tokens : [{ token }, ...tokens];
    this.#crypto = crypto;
    this.#tokens = all.map(({ token: text, namespace, pool }) => ({
      bytes: utf8.encode(text),
      namespace: namespace === undefined ? undefined : idOf("hosts.tokens.namespace", namespace),
      pool,
    }));
  }

  /**
   * Throws `host.wrong_token` unless `shown` is known, and `host.not_allowed` unless it is good for the place. A token may be
   * given for several. All are compared, so that the time tells nothing.
   */
  check(shown: string, { id, namespace, pool }: ShownPlace): void {
    const bytes = utf8.encode(shown);
    const same = this.#tokens.filter((known) => this.#crypto.timingSafeEqual(known.bytes, bytes));
    if (same.length === 0) throw engineErrors.wrongToken();
    const allowed = same.some((known) => id === (known.namespace ?? id) && pool === (known.pool ?? pool));
    if (!allowed) throw engineErrors.notAllowed(namespace, pool);
  }
}

const utf8 = new TextEncoder();

/** Throws `config.invalid_option`. */
export function checkHosts(config: HostsConfig | undefined): void {
  if (config === undefined) return;
  checkKnownOptions("hosts", config, ["token", "tokens", "actors", "sqlTimeLimitMs", "serverless", "spread"]);
  const { token, tokens, actors, sqlTimeLimitMs, serverless = [], spread = [] } = config;
  const listed = tokens === undefined || (Array.isArray(tokens) && tokens.every((one) => isText(one?.token)));
  if (!listed) throw configErrors.invalidOption("hosts.tokens", "a list of { token, namespace, pool }");
  for (const one of tokens ?? []) {
    checkKnownOptions("hosts.tokens", one, ["token", "namespace", "pool"]);
    if (one.pool !== undefined && !isPoolName(one.pool))
      throw configErrors.invalidOption("hosts.tokens.pool", POOL_NAME);
    if (one.namespace !== undefined && !isNamespaceName(one.namespace))
      throw configErrors.invalidOption("hosts.tokens.namespace", NAMESPACE_NAME);
  }
  const some = token === undefined ? (tokens ?? []).length > 0 : isText(token);
  if (!some) throw configErrors.invalidOption("hosts.token", "a text that remote hosts show");
  if (actors !== undefined && actors !== "registered" && actors !== "any")
    throw configErrors.invalidOption("hosts.actors", '"registered" or "any"');
  checkSqlTimeLimit(sqlTimeLimitMs, "hosts.sqlTimeLimitMs");
  if (sqlTimeLimitMs !== undefined && actors !== "any")
    throw configErrors.invalidOption(
      "hosts.sqlTimeLimitMs",
      'with `actors: "any"`; a remoteActor() has its own',
    );
  if (!Array.isArray(spread) || !spread.every(isPoolName))
    throw configErrors.invalidOption("hosts.spread", `a list of names of pools: ${POOL_NAME}`);
  checkServerless(serverless, token);
}

/** Nobody could bring their code: each call would wait for it in vain. Throws `config.hosts_missing`. */
export function checkRemoteActors(program: {
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  readonly hosts?: HostsConfig;
}): void {
  if (program.hosts !== undefined) return;
  const [name] = Object.entries(program.use).find(([, { behaviour }]) => behaviour.kind === "remote") ?? [];
  if (name !== undefined) throw engineErrors.hostsMissing(name);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
