/**
 * The client: handles by the name of their actor.
 */
import { checkName, normalizeKey } from "@troupe/protocol";
import { checkOptions } from "./check-options.ts";
import type { AnyActorDefinition, Registry } from "./contract.ts";
import type { ClientEnv } from "./env.ts";
import { handleOf, resolveTarget } from "./handle.ts";
import { MemberProxy } from "./member-proxy.ts";
import { ClientScope } from "./scope.ts";
import { type ClientSettings, settingsOver } from "./settings.ts";
import type { ClientTransport, KeyTarget } from "./transport.ts";
import type {
  ActorAccessor,
  ActorHandle,
  ActorKey,
  Client,
  ClientRaw,
  CreateOptions,
  GetOptions,
  GetOrCreateOptions,
  GetWithIdOptions,
  QueryOptions,
} from "./types.ts";

const QUERY_OPTIONS: readonly (keyof QueryOptions)[] = ["params", "getParams", "signal"];
const GET_OR_CREATE_OPTIONS: readonly (keyof GetOrCreateOptions)[] = [
  ...QUERY_OPTIONS,
  "createWithInput",
  "createInRegion",
  "poolName",
];
const CREATE_OPTIONS: readonly (keyof CreateOptions)[] = [...QUERY_OPTIONS, "input", "region", "poolName"];
const CLIENT_MEMBERS: readonly (keyof ClientRaw)[] = ["get", "getOrCreate", "getForId", "create", "dispose"];

/** The members of a client; `createClient` adds the accessors. */
class BaseClient implements ClientRaw {
  readonly #scope: ClientScope;

  constructor(scope: ClientScope) {
    this.#scope = scope;
  }

  get<AD extends AnyActorDefinition>(
    name: string,
    key?: ActorKey,
    options?: GetOptions<AD>,
  ): ActorHandle<AD> {
    checkOptions("get()", options, QUERY_OPTIONS);
    return handleOf(this.#scope, keyTarget(name, key, "get"), options);
  }

  getOrCreate<AD extends AnyActorDefinition>(
    name: string,
    key?: ActorKey,
    options?: GetOrCreateOptions<AD>,
  ): ActorHandle<AD> {
    checkOptions("getOrCreate()", options, GET_OR_CREATE_OPTIONS);
    this.#scope.ignored({ createInRegion: options?.createInRegion, poolName: options?.poolName });
    const target = { ...keyTarget(name, key, "getOrCreate"), input: options?.createWithInput };
    return handleOf(this.#scope, target, options);
  }

  getForId<AD extends AnyActorDefinition>(
    name: string,
    actorId: string,
    options?: GetWithIdOptions<AD>,
  ): ActorHandle<AD> {
    checkName(name);
    checkOptions("getForId()", options, QUERY_OPTIONS);
    return handleOf(this.#scope, { kind: "id", name, actorId }, options);
  }

  create<AD extends AnyActorDefinition>(
    name: string,
    key?: ActorKey,
    options: CreateOptions<AD> = {},
  ): Promise<ActorHandle<AD>> {
    return this.#scope.handed(this.#create(name, key, options), "create");
  }

  async #create<AD extends AnyActorDefinition>(
    name: string,
    key: ActorKey | undefined,
    options: CreateOptions<AD>,
  ): Promise<ActorHandle<AD>> {
    checkOptions("create()", options, CREATE_OPTIONS);
    this.#scope.ignored({ region: options.region, poolName: options.poolName });
    const target = { ...keyTarget(name, key, "create"), input: options.input };
    const actorId = await resolveTarget(this.#scope, target, options);
    return handleOf(this.#scope, { kind: "id", name, actorId }, options);
  }

  dispose(): Promise<void> {
    return this.#scope.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** A client's members under the name of one actor. */
class Accessor<AD extends AnyActorDefinition> implements ActorAccessor<AD> {
  readonly #client: BaseClient;
  readonly #name: string;

  constructor(client: BaseClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  get(key?: ActorKey, options?: GetOptions<AD>): ActorHandle<AD> {
    return this.#client.get(this.#name, key, options);
  }

  getOrCreate(key?: ActorKey, options?: GetOrCreateOptions<AD>): ActorHandle<AD> {
    return this.#client.getOrCreate(this.#name, key, options);
  }

  getForId(actorId: string, options?: GetWithIdOptions<AD>): ActorHandle<AD> {
    return this.#client.getForId(this.#name, actorId, options);
  }

  create(key?: ActorKey, options?: CreateOptions<AD>): Promise<ActorHandle<AD>> {
    return this.#client.create(this.#name, key, options);
  }
}

/** A client that goes by these settings. */
export function clientOf<R extends Registry>(settings: ClientSettings): Client<R> {
  const scope = new ClientScope(settings);
  const client = new BaseClient(scope);
  const open = (name: string): unknown => new Accessor(client, name);
  return new Proxy(client, new MemberProxy<BaseClient>(CLIENT_MEMBERS, open, scope.handed)) as BaseClient &
    Client<R>;
}

/** A client over a transport of the caller's own. */
export function createClientOver(env: ClientEnv, transport: ClientTransport): Client {
  return clientOf(settingsOver(env, transport));
}

function keyTarget(name: string, key: ActorKey | undefined, method: KeyTarget["method"]): KeyTarget {
  checkName(name);
  return { kind: "key", name, key: normalizeKey(key), method };
}
