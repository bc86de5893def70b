/**
 * Definitions of actors whose code runs elsewhere.
 */

import { limits } from "@troupe/protocol";
import { configErrors } from "../../errors.ts";
import type { OpenCarrier, OpenCarrierSource } from "../../ports/carried.ts";
import type { PluginNaming } from "../../ports/plugin-set.ts";
import { CarriedHere } from "../../remote/carried-here.ts";
import {
  type ActorDescriptor,
  type CarriedBehaviour,
  type CarriedNeed,
  carriedNeeds,
  type HostCarried,
} from "../behaviour.ts";
import type { AnyActorDefinition } from "../definition.ts";
import { defaultOptions } from "../options.ts";
import { OpenedCarrier } from "./carrier-source.ts";
import type { CarriedAuth } from "./entry-auth.ts";
import { type HostOptions, parseHostOptions } from "./host-options.ts";

/** What nobody knows of a carried actor before its carrier is open. */
export const UNDECLARED: ActorDescriptor = Object.freeze({
  options: defaultOptions,
  ignoredOptions: Object.freeze([]),
  actions: Object.freeze([]),
  events: Object.freeze([]),
  queues: Object.freeze([]),
});

const hostCarried: HostCarried = (env, use, onlyWasm) => new CarriedHere(env, use, onlyWasm);

/** A definition of a carried actor. It is frozen: nothing outside can exchange what opens it. */
export interface CarriedDefinition extends AnyActorDefinition {
  readonly behaviour: CarriedBehaviour;
}

/** What a definition of a carried actor may say beside where its code is. */
export interface CarriedOptions {
  /** What the code gets beside its own state and keys. Default: nothing. */
  readonly needs?: readonly CarriedNeed[] | undefined;
  /**
   * The code isn't trusted: its SQL runs in a process of its own, and a text of it that takes longer than so many
   * milliseconds is ended with that process. Default: it is trusted, and nothing ends its SQL.
   */
  readonly sqlTimeLimitMs?: number | undefined;
  /** Options that the runtime keeps, in place of those that the code declares. Default: as declared. */
  readonly options?: HostOptions | undefined;
  /** Who may come to the actor, before its code is asked. Default: whoever the code lets in. */
  readonly auth?: CarriedAuth | undefined;
  /** Each activation loads its code anew: it can be reloaded, and starts that fail again and again wait. Default: false. */
  readonly reloads?: boolean | undefined;
  /** The plugin that it names, all of which is in force where the registry's plugins are. Default: none. */
  readonly names?: PluginNaming | undefined;
}

/**
 * Defines an actor whose code runs behind a carrier, for `setup({ use })`. Each runtime opens a carrier of its own, when
 * the first of the actors is needed; what the actor is called, does and may is what the code declares.
 */
export function carriedActor(open: OpenCarrier, options?: CarriedOptions): CarriedDefinition {
  return carriedActorFrom((request) => new OpenedCarrier(() => open(request)), options);
}

/**
 * The same, for carriers that aren't one for all: each runtime makes a source of its own, and asks it at each activation.
 * Throws `config.invalid_option`, `config.unknown_option`, `config.option_of_code`.
 */
export function carriedActorFrom(
  source: OpenCarrierSource,
  { needs = [], sqlTimeLimitMs, options, auth, reloads, names }: CarriedOptions = {},
): CarriedDefinition {
  const known: readonly unknown[] = carriedNeeds;
  if (!Array.isArray(needs) || !needs.every((need) => known.includes(need)))
    throw configErrors.invalidOption("needs", `a list of ${carriedNeeds.join(", ")}`);
  checkSqlTimeLimit(sqlTimeLimitMs);
  if (auth !== undefined && typeof auth !== "function")
    throw configErrors.invalidOption("auth", "a function");
  const behaviour: CarriedBehaviour = Object.freeze({
    kind: "carried",
    source,
    host: hostCarried,
    needs: Object.freeze([...needs]),
    statementMs: sqlTimeLimitMs,
    options: parseHostOptions(options),
    auth,
    reloads,
    names,
  });
  return Object.freeze({ descriptor: UNDECLARED, behaviour });
}

/** Throws `config.invalid_option`. */
export function checkSqlTimeLimit(ms: number | undefined, option = "sqlTimeLimitMs"): void {
  const longestMs = limits.sqlStatementLongestMs;
  if (ms === undefined || (Number.isInteger(ms) && ms >= 1 && ms <= longestMs)) return;
  throw configErrors.invalidOption(option, `whole milliseconds, 1 to ${longestMs}`);
}
