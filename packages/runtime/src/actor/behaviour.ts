/**
 * A definition, taken apart: a descriptor (plain data that can cross any wire) and a behaviour (how it is run).
 */

import { type Env, nearest } from "@troupe/base";
import { reservedPart } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { configErrors } from "../errors.ts";
import type { CarriedDeclaration, CarriedOnHost, OpenCarrierSource } from "../ports/carried.ts";
import type { PluginNaming } from "../ports/plugin-set.ts";
import { type CallRules, parseCallRules } from "./call-rules.ts";
import type { CarriedAuth } from "./carried/entry-auth.ts";
import type { HostOptions } from "./carried/host-options.ts";
import { type AnyDatabase, isDatabase } from "./database.ts";
import { type EventRules, parseEventRules } from "./event-rules.ts";
import { checkFirstValue, type FirstValueKey } from "./first-value.ts";
import { defaultOptions, keptByCode, keptByHost, parseOptions, type ResolvedOptions } from "./options.ts";
import { QueueTable } from "./queue-table.ts";
import { parseSchemas, type Schemas } from "./schemas.ts";
import { type ActorWorkflow, workflowOf } from "./workflow-run.ts";

/** A function of the user's, its types erased: `types/config.ts` has checked them at compile time. */
export type Hook = (...args: unknown[]) => unknown;

/** What a first value is made from. */
export type Initial =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "create"; readonly create: Hook };

const hookNames = [
  "onMigrate",
  "onCreate",
  "onWake",
  "onSleep",
  "onDestroy",
  "onStateChange",
  "onBeforeConnect",
  "onConnect",
  "onDisconnect",
  "onBeforeActionResponse",
  "onRequest",
  "onWebSocket",
  "callerIdentity",
] as const;

/** The hooks of a definition that are plain functions. */
export type HookName = (typeof hookNames)[number];

/** Actions by dotted name. Not a Map, which anybody who has it may change. */
export class ActionTable {
  readonly #byName: ReadonlyMap<string, Hook>;

  constructor(byName: ReadonlyMap<string, Hook>) {
    this.#byName = byName;
    Object.freeze(this);
  }

  get(name: string): Hook | undefined {
    return this.#byName.get(name);
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }
}

/** A definition that runs in this process. */
export interface LocalBehaviour {
  readonly kind: "local";
  readonly state: Initial;
  readonly vars: Initial;
  readonly connState: Initial;
  /** 0: none was given. */
  readonly stateVersion: number;
  /** Makes the state of an older version this one's. */
  readonly migrateState: Hook | undefined;
  readonly hooks: Readonly<Partial<Record<HookName, Hook>>>;
  readonly run: Hook | undefined;
  /** Absent where `run` is no workflow. */
  readonly workflow: ActorWorkflow | undefined;
  /** Present when the actor has a database. */
  readonly database: AnyDatabase;
  /** By dotted name. */
  readonly actions: ActionTable;
  readonly queues: QueueTable;
  /** Of events that have any. */
  readonly events: EventRules | undefined;
  /** What arguments and connection parameters must be; absent for anything. */
  readonly schemas: Schemas | undefined;
  /** Who may call which action; absent for everybody, all. */
  readonly callRules: CallRules | undefined;
  /** True when a connection costs nothing but an object: no hook, no state to make. */
  readonly plainConnections: boolean;
  /** True when a start runs nothing of the user's: no hook, nothing to make. */
  readonly plainStart: boolean;
}

/** What code that runs elsewhere gets beside its own state and keys, if its definition says so. */
export const carriedNeeds = ["actors", "database"] as const;

/** `actors`: it may call other actors (`c.client()`). `database`: it has a database of its own (`c.db`). */
export type CarriedNeed = (typeof carriedNeeds)[number];

/**
 * Takes all carried definitions of a host, by name. With `onlyWasm` whatever isn't a module of WebAssembly is refused when it is
 * opened.
 */
export type HostCarried = (
  env: Env,
  use: ReadonlyMap<string, CarriedBehaviour>,
  onlyWasm: boolean,
) => CarriedOnHost;

/** A definition whose code runs behind a carrier. */
export interface CarriedBehaviour {
  readonly kind: "carried";
  readonly source: OpenCarrierSource;
  /** Runs such actors on a remote host. It comes with the definition: a host without one has no need of it. */
  readonly host: HostCarried;
  readonly needs: readonly CarriedNeed[];
  /** The code isn't trusted, and each text of SQL that it runs has so long. */
  readonly statementMs: number | undefined;
  /** What the program says of it beside its own declaration. */
  readonly options: HostOptions;
  /** Who may come. Undefined: the code decides alone. */
  readonly auth: CarriedAuth | undefined;
  readonly reloads: boolean | undefined;
  /** The plugin that it names, which may be more than its actors. */
  readonly names: PluginNaming | undefined;
}

/** A definition whose code the remote hosts of a pool have. */
export interface RemoteBehaviour {
  readonly kind: "remote";
  readonly pool: string;
  /** The actor has a database, which is this engine's. */
  readonly database: boolean;
  /** Its hosts aren't trusted: each text of SQL has so many milliseconds. */
  readonly statementMs?: number | undefined;
}

/** How a definition is run. */
export type Behaviour = LocalBehaviour | CarriedBehaviour | RemoteBehaviour;

/** What every host and client may know of a definition. */
export interface ActorDescriptor {
  readonly options: ResolvedOptions;
  /** Options that were given and do nothing here. */
  readonly ignoredOptions: readonly string[];
  readonly actions: readonly string[];
  readonly events: readonly string[];
  /** Queues that others may send to. */
  readonly queues: readonly string[];
}

const pairs = [
  ["state", "createState"],
  ["vars", "createVars"],
  ["connState", "createConnState"],
] as const;

const knownKeys: ReadonlySet<string> = new Set<string>([
  ...hookNames,
  ...pairs.flat(),
  "stateVersion",
  "migrateState",
  "run",
  "db",
  "actions",
  "events",
  "queues",
  "options",
  "types",
  "canCall",
  "actionInputSchemas",
  "connParamsSchema",
]);

/** Keys of RivetKit's whose feature isn't in this version. */
const laterKeys: ReadonlySet<string> = new Set(["inspector"]);

/** Checks a definition's config and takes it apart. Throws `config.*`. */
export function parseDefinition(config: Readonly<Record<string, unknown>>): {
  descriptor: ActorDescriptor;
  behaviour: LocalBehaviour;
} {
  for (const key of Object.keys(config)) checkKey(key);
  const hooks: Partial<Record<HookName, Hook>> = {};
  for (const name of hookNames) {
    const hook = optionalFunction(config, name);
    if (hook !== undefined) hooks[name] = hook;
  }
  const actions = new Map<string, Hook>();
  collectActions(config["actions"], "", actions);
  for (const name of actions.keys()) {
    const part = reservedPart(name);
    if (part !== undefined) throw configErrors.reservedAction(name, part);
  }
  const state = initial(config, "state", "createState");
  const vars = initial(config, "vars", "createVars");
  const connState = initial(config, "connState", "createConnState");
  const behaviour: LocalBehaviour = Object.freeze({
    kind: "local" as const,
    state,
    vars,
    connState,
    stateVersion: versionOf(config["stateVersion"]),
    migrateState: optionalFunction(config, "migrateState"),
    hooks: Object.freeze(hooks),
    run: runFunction(config["run"]),
    workflow: workflowOf(config["run"]),
    database: databaseOf(config["db"]),
    actions: new ActionTable(actions),
    queues: QueueTable.parse(config["queues"]),
    events: parseEventRules(config["events"]),
    schemas: parseSchemas(config, actions),
    callRules: parseCallRules(config["canCall"], actions.keys()),
    plainConnections:
      connState.kind !== "create" && !hooks.onBeforeConnect && !hooks.onConnect && !hooks.onDisconnect,
    plainStart:
      state.kind !== "create" &&
      vars.kind !== "create" &&
      config["db"] === undefined &&
      !hooks.onMigrate &&
      !hooks.onCreate &&
      !hooks.onWake,
  });
  const { options, ignored } = parseOptions(config["options"]);
  const descriptor: ActorDescriptor = Object.freeze({
    options,
    ignoredOptions: Object.freeze(ignored),
    actions: Object.freeze([...actions.keys()]),
    events: Object.freeze(eventNames(config["events"])),
    queues: behaviour.queues.names,
  });
  return { descriptor, behaviour };
}

/** What the code behind a carrier declares, checked as a definition is. Throws `config.*`. */
export function describeCarried(declaration: CarriedDeclaration): ActorDescriptor {
  const { options, ignored } = parseOptions(declaration.options);
  if (options.concurrency === "serial" && !declaration.serial)
    throw configErrors.unsupportedOption("concurrency");
  if (declaration.hibernation !== true) checkHibernation(options);
  checkKept(declaration, options);
  return Object.freeze({
    options,
    ignoredOptions: Object.freeze(ignored),
    actions: Object.freeze([...declaration.actions]),
    events: Object.freeze([...declaration.events]),
    queues: Object.freeze([...(declaration.queues ?? [])]),
  });
}

/** Throws `config.unsupported_option`: code that can't leave its sockets to its next activation, and asks for it, is told so. */
function checkHibernation({ canHibernateWebSocket }: ResolvedOptions): void {
  if (canHibernateWebSocket !== undefined && canHibernateWebSocket !== false)
    throw configErrors.unsupportedOption("canHibernateWebSocket");
}

/** Throws `config.unsupported_option` for what was asked of code that doesn't know how: it would be dropped in silence. */
function checkKept(declared: CarriedDeclaration, options: ResolvedOptions): void {
  const { optionsKept = [], options: given, kept = false } = declared;
  for (const name of keptByCode) {
    if (kept && keptByHost.has(name)) continue;
    const asked = Object.hasOwn(given, name) && options[name] !== defaultOptions[name];
    if (asked && !optionsKept.includes(name)) throw configErrors.unsupportedOption(name);
  }
}

function checkKey(key: string): void {
  if (knownKeys.has(key)) return;
  if (laterKeys.has(key)) throw configErrors.unsupportedKey(key);
  throw configErrors.unknownKey(key, nearest(key, knownKeys));
}

function versionOf(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw configErrors.invalidOption("stateVersion", "a whole number, 0 or more");
}

function databaseOf(value: unknown): AnyDatabase {
  if (value === undefined || isDatabase(value)) return value;
  throw configErrors.invalidOption("db", 'what `db()` of "troupe/db" returns');
}

function isHook(value: unknown): value is Hook {
  return typeof value === "function";
}

function optionalFunction(config: Readonly<Record<string, unknown>>, key: string): Hook | undefined {
  const value = config[key];
  if (value === undefined) return undefined;
  if (!isHook(value)) throw configErrors.invalidOption(key, "a function");
  return value;
}

function initial(
  config: Readonly<Record<string, unknown>>,
  valueKey: FirstValueKey,
  createKey: string,
): Initial {
  const value = config[valueKey];
  const create = optionalFunction(config, createKey);
  if (create !== undefined && value !== undefined) throw configErrors.bothOf(valueKey, createKey);
  if (create !== undefined) return Object.freeze({ kind: "create", create });
  if (value === undefined) return Object.freeze({ kind: "none" });
  checkFirstValue(valueKey, value);
  return Object.freeze({ kind: "value", value });
}

function runFunction(value: unknown): Hook | undefined {
  if (value === undefined) return undefined;
  if (isHook(value)) return value;
  if (typeof value === "object" && value !== null && "run" in value && isHook(value.run)) return value.run;
  throw configErrors.invalidOption("run", "a function, or an object with one as `run`");
}

function collectActions(tree: unknown, prefix: string, into: Map<string, Hook>): void {
  if (tree === undefined) return;
  if (typeof tree !== "object" || tree === null)
    throw configErrors.invalidOption(
      `actions${prefix && `.${prefix}`}`,
      prefix === "" ? "an object of actions" : "a function, or an object of actions",
    );
  for (const [key, value] of Object.entries(tree)) {
    const name = prefix === "" ? key : `${prefix}.${key}`;
    if (name.length > limits.memberNameLength)
      throw configErrors.invalidOption(
        `actions.${name}`,
        `at most ${limits.memberNameLength} characters long`,
      );
    if (isHook(value)) into.set(name, value);
    else collectActions(value, name, into);
  }
}

function eventNames(events: unknown): string[] {
  if (events === undefined) return [];
  if (typeof events !== "object" || events === null) throw configErrors.invalidOption("events", "an object");
  for (const name of Object.keys(events)) {
    if (name.length > limits.memberNameLength)
      throw configErrors.invalidOption(
        `events.${name}`,
        `at most ${limits.memberNameLength} characters long`,
      );
  }
  return Object.keys(events);
}
