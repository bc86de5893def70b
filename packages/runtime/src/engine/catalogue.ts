/**
 * Catalogue: what a runtime knows before any actor is there: its namespaces, and what remote hosts have brought to each.
 *
 * A namespace is a set of actors that no other one sees. Its id is in the address of each of its actors and never changes;
 * its name is for people, and may. Names are taken apart once, at the edge; from there on there are ids alone. A program's
 * settings may say a name for longer than it is there: whoever starts it anew behind a rename means the namespace that was
 * called so, until another one is.
 *
 * An engine that takes any actor learns from its hosts which there are: the pool that has the code, and whether the actor
 * has a database, which decides where its rows are. Both are durable before the host is welcomed, so that a call that comes
 * behind a restart, and before any host, waits for one and finds the actor where it was. A database that an actor once had
 * stays its own, also when a host comes that knows nothing of it. When hosts of several pools bring one name, the actor is
 * placed in the pool of the one that came last.
 *
 * Versions of the program that were withdrawn from a pool are durable as well: hosts of a bad one that come again behind a
 * restart, and before anybody has said it a second time, get nothing.
 */
import type { Env } from "@troupe/base";
import { engineLimits } from "@troupe/protocol";
import { configErrors, storageErrors } from "../errors.ts";
import type { CatalogueFile } from "../ports/catalogue-file.ts";
import type { Namespaces } from "../ports/namespaces.ts";
import { engineErrors } from "./errors.ts";
import { isNamespaceName } from "./namespace-name.ts";
import { isPoolName, isProgramVersion, PROGRAM_VERSION } from "./pool.ts";

/** The namespace of whoever names none. Its id is its first name, as actors have it that were made before there were others. */
export const DEFAULT_NAMESPACE = "default";

/** A namespace, as people see it. */
export interface NamespaceSummary {
  /** For life. */
  readonly id: string;
  readonly name: string;
  /** Pools that hosts have named. */
  readonly pools: readonly string[];
}

/** What is known of an actor that hosts bring. */
export interface KnownActor {
  readonly pool: string;
  readonly database: boolean;
}

/** What a host has, as it says in its Hello. */
export interface Brought {
  /** The namespace's id. */
  readonly namespace: string;
  readonly pool: string;
  readonly actors: readonly { readonly name: string; readonly database: boolean }[];
}

/** A version of the program that gets no new actors. */
export interface Withdrawal {
  /** The namespace's id. */
  readonly namespace: string;
  readonly pool: string;
  readonly programVersion: number;
}

interface Namespace {
  readonly id: string;
  name: string;
  /** What it was called before, and nothing else is called since: the newest last. */
  readonly formerNames: Set<string>;
  readonly pools: Set<string>;
  /** Versions that were withdrawn, by pool. */
  readonly withdrawn: Map<string, Set<number>>;
  readonly actors: Map<string, KnownActor>;
}

/** The catalogue of one runtime. */
export class Catalogue implements Namespaces {
  readonly #env: Pick<Env, "ids">;
  readonly #file: CatalogueFile;
  readonly #byId = new Map<string, Namespace>();
  readonly #byName = new Map<string, Namespace>();

  /** Throws `storage.corrupt` and what else keeps the file from being read. */
  constructor(env: Pick<Env, "ids">, file: CatalogueFile) {
    this.#env = env;
    this.#file = file;
    const text = file.read();
    const kept = text === undefined ? [] : parse(file.path, text);
    for (const namespace of kept) this.#add(namespace);
    if (!this.#byId.has(DEFAULT_NAMESPACE)) this.#add(emptyNamespace(DEFAULT_NAMESPACE, DEFAULT_NAMESPACE));
  }

  idOf(name: string | undefined): string {
    const id = this.find(name);
    if (id === undefined) throw engineErrors.namespaceNotFound(String(name).slice(0, 80));
    return id;
  }

  /** The same, and undefined when there is none. */
  find(name: string | undefined): string | undefined {
    return name === undefined || name === "" ? DEFAULT_NAMESPACE : this.#byName.get(name)?.id;
  }

  /** The same for a name of the program's settings: also the one that was called so before. */
  configured(name: string | undefined): string | undefined {
    const found = this.find(name);
    if (found !== undefined || name === undefined) return found;
    return [...this.#byId.values()].find(({ formerNames }) => formerNames.has(name))?.id;
  }

  nameOf(id: string): string | undefined {
    return id === DEFAULT_NAMESPACE ? undefined : this.#byId.get(id)?.name;
  }

  list(): readonly NamespaceSummary[] {
    return [...this.#byId.values()].map(({ id, name, pools }) => ({ id, name, pools: [...pools] }));
  }

  /** A new namespace; its id. Durable. Throws `namespace.taken`, `namespace.invalid_name`, `namespace.too_many`. */
  create(name: string): string {
    checkNamespaceName(name);
    if (this.#byName.has(name)) throw engineErrors.namespaceTaken(name);
    if (this.#byId.size >= engineLimits.namespaces)
      throw engineErrors.tooManyNamespaces(engineLimits.namespaces);
    const namespace = emptyNamespace(this.#env.ids.ordered(), name);
    this.#add(namespace);
    const restore = this.#takeFormer(name);
    this.#keep(() => {
      this.#byId.delete(namespace.id);
      this.#byName.delete(name);
      restore();
    });
    return namespace.id;
  }

  /** A namespace of the program's settings, made when there is none and was none of the name: its id. */
  ensure(name: string): string {
    return this.configured(name) ?? this.create(name);
  }

  /**
   * Another name for a namespace; its actors stay as they are. The old name is free again. Durable. Throws
   * `namespace.not_found`, `namespace.taken`, `namespace.invalid_name`.
   */
  rename(name: string, to: string): void {
    const namespace = this.#byName.get(name);
    if (namespace === undefined || namespace.id === DEFAULT_NAMESPACE)
      throw engineErrors.namespaceNotFound(name);
    checkNamespaceName(to);
    if (this.#byName.has(to)) throw engineErrors.namespaceTaken(to);
    const before = [...namespace.formerNames];
    const restore = this.#takeFormer(to);
    this.#call(namespace, to);
    setTo(namespace.formerNames, [...namespace.formerNames, name].slice(-engineLimits.formerNames));
    this.#keep(() => {
      this.#call(namespace, name);
      setTo(namespace.formerNames, before);
      restore();
    });
  }

  /** What is known of an actor that hosts bring. */
  actor(namespace: string, name: string): KnownActor | undefined {
    return this.#byId.get(namespace)?.actors.get(name);
  }

  /** The names of the actors that hosts have brought to a namespace. */
  actorNames(namespace: string): readonly string[] {
    return [...(this.#byId.get(namespace)?.actors.keys() ?? [])];
  }

  /**
   * Makes the pool that a host names. Durable. Throws `host.invalid_pool`, `host.too_many_actors`, `namespace.not_found`.
   */
  seen(pool: string, namespaceId: string): void {
    const namespace = this.#of(namespaceId);
    if (namespace.pools.has(pool)) return;
    checkPoolName(pool);
    this.#makeRoom(namespace, 1);
    namespace.pools.add(pool);
    this.#keep(() => namespace.pools.delete(pool));
  }

  /** Learns the actors of a host. Durable. Throws as {@link seen} does. */
  learn({ namespace: id, pool, actors }: Brought): void {
    const namespace = this.#of(id);
    const before = new Map(namespace.actors);
    this.#makeRoom(namespace, actors.filter(({ name }) => !before.has(name)).length);
    let changed = false;
    for (const { name, database } of actors) {
      const known = namespace.actors.get(name);
      const now = { pool, database: database || known?.database === true };
      if (known?.pool === now.pool && known.database === now.database) continue;
      namespace.actors.set(name, now);
      changed = true;
    }
    if (!changed) return;
    this.#keep(() => {
      namespace.actors.clear();
      for (const [name, known] of before) namespace.actors.set(name, known);
    });
  }

  /** The versions that were withdrawn. */
  withdrawals(): readonly Withdrawal[] {
    return [...this.#byId.values()].flatMap(({ id, withdrawn }) =>
      [...withdrawn].flatMap(([pool, versions]) =>
        [...versions].map((programVersion) => ({ namespace: id, pool, programVersion })),
      ),
    );
  }

  /** Keeps that a version is withdrawn. Durable. Throws as {@link seen} does, and `config.invalid_option`. */
  withdraw({ namespace: id, pool, programVersion }: Withdrawal): void {
    if (!isProgramVersion(programVersion))
      throw configErrors.invalidOption("programVersion", PROGRAM_VERSION);
    this.seen(pool, id);
    const namespace = this.#of(id);
    const versions = namespace.withdrawn.get(pool) ?? new Set();
    if (versions.has(programVersion)) return;
    this.#makeRoom(namespace, 1);
    namespace.withdrawn.set(pool, versions.add(programVersion));
    this.#keep(() => versions.delete(programVersion));
  }

  /** Takes a {@link withdraw} back. Durable. Throws `namespace.not_found`. */
  restore({ namespace: id, pool, programVersion }: Withdrawal): void {
    const versions = this.#of(id).withdrawn.get(pool);
    if (versions?.delete(programVersion) === true) this.#keep(() => versions.add(programVersion));
  }

  #of(id: string): Namespace {
    const namespace = this.#byId.get(id);
    if (namespace === undefined) throw engineErrors.namespaceNotFound(id);
    return namespace;
  }

  #makeRoom({ actors, pools, withdrawn }: Namespace, more: number): void {
    const versions = [...withdrawn.values()].reduce((sum, { size }) => sum + size, 0);
    if (more > 0 && actors.size + pools.size + versions + more > engineLimits.broughtNames)
      throw engineErrors.tooManyActors(engineLimits.broughtNames);
  }

  #add(namespace: Namespace): void {
    this.#byId.set(namespace.id, namespace);
    this.#byName.set(namespace.name, namespace);
  }

  /** Who was called so is meant by it no more. Gives the way back. */
  #takeFormer(name: string): () => void {
    const had = [...this.#byId.values()].filter(({ formerNames }) => formerNames.delete(name));
    return () => {
      for (const { formerNames } of had) formerNames.add(name);
    };
  }

  #call(namespace: Namespace, name: string): void {
    this.#byName.delete(namespace.name);
    namespace.name = name;
    this.#byName.set(name, namespace);
  }

  /** What can't be kept didn't happen. */
  #keep(undo: () => void): void {
    const namespaces = [...this.#byId.values()].map(
      ({ id, name, formerNames, pools, withdrawn, actors }) => ({
        ...{ id, name, formerNames: [...formerNames], pools: [...pools] },
        withdrawn: Object.fromEntries([...withdrawn].map(([pool, versions]) => [pool, [...versions]])),
        actors: Object.fromEntries(actors),
      }),
    );
    try {
      this.#file.write(`${JSON.stringify({ catalogue: 1, namespaces })}\n`);
    } catch (cause) {
      undo();
      throw cause;
    }
  }
}

/** Throws `namespace.invalid_name`. */
export function checkNamespaceName(name: unknown): void {
  if (!isNamespaceName(name)) throw engineErrors.badNamespaceName(name);
}

/** Throws `host.invalid_pool`. */
export function checkPoolName(pool: string): void {
  if (!isPoolName(pool)) throw engineErrors.badPoolName(pool);
}

function emptyNamespace(id: string, name: string): Namespace {
  return {
    ...{ id, name, formerNames: new Set<string>(), pools: new Set<string>() },
    ...{ withdrawn: new Map(), actors: new Map() },
  };
}

function setTo(names: Set<string>, now: readonly string[]): void {
  names.clear();
  for (const name of now) names.add(name);
}

/** Throws `storage.corrupt`. */
function parse(path: string, text: string): readonly Namespace[] {
  try {
    const { catalogue, namespaces } = JSON.parse(text);
    if (catalogue !== 1 || !Array.isArray(namespaces)) throw new TypeError("it is no catalogue of version 1");
    return namespaces.map(parseNamespace);
  } catch (cause) {
    throw storageErrors.corrupt(path, cause instanceof Error ? cause.message : String(cause));
  }
}

function parseNamespace(value: unknown): Namespace {
  if (typeof value !== "object" || value === null) throw new TypeError("a namespace is no object");
  // An older catalogue has none of those that have a default.
  const given: Readonly<Record<string, unknown>> = { ...value };
  const { id, name, formerNames = [], pools, withdrawn = {}, actors } = given;
  if (typeof id !== "string" || id === "" || typeof name !== "string")
    throw new TypeError("a namespace has no id or no name");
  if (!Array.isArray(formerNames)) throw new TypeError(`what ${name} was called before are no names`);
  if (!Array.isArray(pools) || typeof actors !== "object" || actors === null)
    throw new TypeError(`the namespace ${name} has no pools or no actors`);
  return {
    id,
    name,
    formerNames: new Set(formerNames.map(String)),
    pools: new Set(pools.map(String)),
    withdrawn: new Map(Object.entries(Object(withdrawn)).map(parseWithdrawn)),
    actors: new Map(Object.entries(actors).map(parseActor)),
  };
}

function parseWithdrawn([pool, versions]: [string, unknown]): [string, Set<number>] {
  if (!Array.isArray(versions) || !versions.every(isProgramVersion))
    throw new TypeError(`what was withdrawn from the pool ${pool} are no versions`);
  return [pool, new Set(versions)];
}

function parseActor([name, value]: [string, unknown]): [string, KnownActor] {
  const { pool, database }: Readonly<Record<string, unknown>> = { ...Object(value) };
  if (typeof pool !== "string" || typeof database !== "boolean")
    throw new TypeError(`the actor ${name} has no pool`);
  return [name, { pool, database }];
}
