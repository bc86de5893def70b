/**
 * Runtime: one host and one gateway over one store, made from their parts. A registry has at most one; the simulator
 * and tests make theirs directly.
 */
import type { Env } from "@troupe/base";
import {
  type Client,
  type Registry as ClientRegistry,
  type ClientTransport,
  createClient,
} from "@troupe/client";
import type { RemoteBehaviour } from "../actor/behaviour.ts";
import { CarriedFactory } from "../actor/carried/carried-factory.ts";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { hasPart } from "../actor/has-part.ts";
import type { Activation } from "../actor/local/activation.ts";
import { type ActivationServices, currentActor } from "../actor/local/activation-services.ts";
import { LocalFactory } from "../actor/local/local-instance.ts";
import { meantAction } from "../actor/local/meant-action.ts";
import { runtimeSocketsOver } from "../actor/local/runtime-socket/runtime-socket.ts";
import { WaitGraph } from "../actor/local/wait-graph.ts";
import { Catalogue, DEFAULT_NAMESPACE, type KnownActor } from "../engine/catalogue.ts";
import { HostedFactories } from "../engine/hosted-factories.ts";
import { Access, type AccessConfig } from "../gateway/access.ts";
import type { AppFetch } from "../gateway/app.ts";
import { Gateway } from "../gateway/gateway.ts";
import { LocalTransport } from "../gateway/local-transport.ts";
import type { Histogram } from "../histogram.ts";
import { ActorHost } from "../host/actor-host.ts";
import type { Factories } from "../host/factories.ts";
import type { InspectorSettings } from "../inspector/config.ts";
import { Inspector } from "../inspector/inspector.ts";
import { RecordedFactory } from "../inspector/recorded-instance.ts";
import { Recorders } from "../inspector/recorder.ts";
import type { CarrierSource } from "../ports/carried.ts";
import { memoryCatalogue } from "../ports/catalogue-file.ts";
import type { ActorRecord, Directory } from "../ports/directory.ts";
import type { Functions } from "../ports/functions.ts";
import type { InstanceFactory } from "../ports/instance.ts";
import type { LocalSockets } from "../ports/local-sockets.ts";
import type { PluginSet } from "../ports/plugin-set.ts";
import type { CallOrigin } from "../ports/running-call.ts";
import type { ActorStorage } from "../ports/storage.ts";
import { limiterFor } from "../rate-limit/limiter.ts";
import type { RateLimits } from "../rate-limit/rate-limits.ts";
import type { HostsConfig } from "../remote/host-tokens.ts";
import { RemoteHosts } from "../remote/remote-hosts.ts";
import type { SqlChain } from "../sql/chain.ts";
import { TracedFactory } from "../traced/traced-factory.ts";
import { TracedTransport } from "../traced/traced-transport.ts";
import { type RelaySetting, tracingOf } from "../traced/tracing.ts";

/** What a runtime is made of. */
export interface RuntimeParts {
  readonly env: Env;
  readonly directory: Directory;
  readonly storage: ActorStorage;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  readonly access: AccessConfig;
  readonly maxAwakeActors?: number | undefined;
  /** Of those, with a database; no limit by default. */
  readonly maxDatabases?: number | undefined;
  readonly memoryShort?: () => boolean;
  readonly app?: AppFetch | undefined;
  /** Whose actors definitions may name. */
  readonly plugins?: PluginSet | undefined;
  /** Why calls to some actors, or all, fail for good; by default nothing does. */
  readonly failure?: () => string | undefined;
  /** Which remote hosts are taken; without it none is. */
  readonly hosts?: HostsConfig | undefined;
  /** Where processes of this machine may connect to actors. */
  readonly localSockets?: LocalSockets | undefined;
  /** Starts serverless hosts. */
  readonly functions?: Functions | undefined;
  /** Namespaces, and what hosts brought; by default there is the default one, in memory. */
  readonly catalogue?: Catalogue | undefined;
  /** What limits calls of actors that have no limits of their own. */
  readonly rateLimit?: RateLimits | undefined;
  /** People may look into actors; without it nothing is recorded, and nobody can. */
  readonly inspector?: InspectorSettings | undefined;
  /** Connections of this process's own client, outside of actors, stay while their actors sleep. By default they don't. */
  readonly clientHibernates?: boolean;
  /** How late the process's event loop is; without it nobody is told. */
  readonly loopLag?: Histogram | undefined;
  /** Calls run under it; without it nothing is traced. */
  readonly relay?: RelaySetting | undefined;
}

/** Actors that run, and the door to them. */
export class Runtime {
  readonly env: Env;
  readonly host: ActorHost;
  readonly gateway: Gateway;
  readonly hosts: RemoteHosts;
  readonly catalogue: Catalogue;
  readonly #services: ActivationServices;
  readonly #factories: readonly InstanceFactory[];
  readonly #sources: CarrierSource[] = [];
  readonly #clientHibernates: boolean;
  readonly #clients = new Map<string, Client>();

  constructor(parts: RuntimeParts) {
    this.env = parts.env;
    this.#clientHibernates = parts.clientHibernates === true;
    const tracing = parts.relay === undefined ? undefined : tracingOf(parts.relay, parts.env);
    this.#services = {
      env: parts.env,
      relay: tracing?.relay,
      current: currentActor(parts.env, tracing?.relay),
      sqlChain: parts.env.asyncContext.variable<SqlChain>(),
      waits: new WaitGraph(),
      runtimeSocket: runtimeSocketsOver(parts.localSockets),
      client: () => this.client(),
      limiter: limiterFor(parts.env, parts.rateLimit),
      meantAction,
    };
    this.catalogue = parts.catalogue ?? new Catalogue(parts.env, memoryCatalogue());
    const { env, hosts: config, functions } = parts;
    this.hosts = new RemoteHosts({ env, config, functions, catalogue: this.catalogue });
    const recorders = parts.inspector === undefined ? undefined : new Recorders();
    const watched = (plain: InstanceFactory): InstanceFactory => {
      const factory = tracing === undefined ? plain : new TracedFactory(plain, tracing);
      return recorders === undefined ? factory : new RecordedFactory(factory, parts.env, recorders);
    };
    const registered = new Map<string, InstanceFactory>();
    for (const [name, definition] of Object.entries(parts.use))
      registered.set(name, watched(this.#factory(name, definition, parts.plugins)));
    this.#factories = [...registered.values()];
    const factories =
      parts.hosts?.actors === "any" ? this.#brought(parts.hosts, registered, watched) : registered;
    this.host = new ActorHost({
      env: parts.env,
      directory: parts.directory,
      storage: parts.storage,
      factories,
      ...(parts.maxAwakeActors === undefined ? {} : { maxAwake: parts.maxAwakeActors }),
      maxDatabases: parts.maxDatabases,
      ...(parts.memoryShort === undefined ? {} : { memoryShort: parts.memoryShort }),
    });
    this.gateway = new Gateway({
      env: parts.env,
      host: this.host,
      access: new Access(parts.access, parts.env.crypto, recorders === undefined ? "off" : "on"),
      namespaces: this.catalogue,
      hosts: this.hosts,
      app: parts.app,
      failure: parts.failure ?? (() => undefined),
      plugins: parts.plugins,
      loopLag: parts.loopLag,
      inspector: this.#inspector(parts, factories, recorders),
    });
  }

  /** Settles when what the running actor wrote is durable; at once outside of actors. */
  readonly departure = (): Promise<void> | undefined => {
    return this.#caller()?.departure();
  };

  /** Also one that has ended: what its code still calls may tell of writes that were never stored. */
  readonly #caller = (): Activation | undefined => this.#services.current.get()?.activation;

  /** The actor whose code runs now; undefined outside of actors. */
  running(): ActorRecord | undefined {
    return this.#caller()?.record;
  }

  /** How actors call others whose code runs elsewhere: who calls waits for its own gate before it asks. */
  readonly #outward = ({ actorId, namespace, chain, depth, trace }: CallOrigin): ClientTransport => {
    const transport = new LocalTransport({
      env: this.env,
      host: this.host,
      gateway: this.gateway,
      namespaces: this.catalogue,
      namespace,
      caller: () => undefined,
      call: () => ({ until: undefined, chain, depth, onAbandoned: () => () => {} }),
      actorId,
    });
    const { relay } = this.#services;
    return relay === undefined ? transport : new TracedTransport(relay, trace, transport);
  };

  /**
   * A client of this runtime's actors that needs no network; outside of actors it sees the namespace with this id, by default
   * the default one.
   */
  client<R extends ClientRegistry>(namespace: string = DEFAULT_NAMESPACE): Client<R> {
    const client = this.#clients.get(namespace) ?? this.#newClient(namespace);
    this.#clients.set(namespace, client);
    return retyped<R>(client);
  }

  #newClient(namespace: string): Client {
    return createClient({
      env: this.env,
      transport: new LocalTransport({
        env: this.env,
        host: this.host,
        gateway: this.gateway,
        namespaces: this.catalogue,
        namespace,
        caller: this.#caller,
        call: () => this.#services.current.get()?.call,
        hibernates: this.#clientHibernates,
      }),
    });
  }

  /** Begins to watch the alarms. Rejects with what keeps actors from running at all. */
  async start(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.check?.()));
    await this.host.start();
  }

  /** No new work; everything awake is saved and sleeps; sockets are closed. */
  async stop(): Promise<void> {
    this.gateway.unready();
    await this.host.stop();
    this.hosts.close();
    await Promise.all(this.#factories.map((factory) => factory.close?.()));
    this.gateway.close();
    await Promise.all([...this.#clients.values()].map((client) => client.dispose()));
  }

  /** One that can't be woken is woken by the next who needs it. */
  async #wake(id: string): Promise<void> {
    try {
      await this.host.load({ kind: "id", id });
    } catch (cause) {
      this.env.log.warn("an actor that was at work on a host that has gone couldn't be woken", {
        actorId: id,
        cause,
      });
    }
  }

  #inspector(
    parts: RuntimeParts,
    factories: Factories,
    recorders: Recorders | undefined,
  ): Inspector | undefined {
    const { inspector: settings, env, directory, storage, use, plugins } = parts;
    if (settings === undefined || recorders === undefined) return undefined;
    const { host, catalogue } = this;
    return new Inspector({
      hasPart: (name, part) => hasPart(use[name]?.behaviour, part),
      ...{ env, host, directory, storage, use, factories, recorders, settings, catalogue, plugins },
    });
  }

  #factory(name: string, definition: AnyActorDefinition, plugins: PluginSet | undefined): InstanceFactory {
    const { descriptor, behaviour } = definition;
    // The one place that knows the kinds: another kind of behaviour is another case here.
    switch (behaviour.kind) {
      case "local":
        return new LocalFactory({ descriptor, behaviour }, this.#services);
      case "carried": {
        const source = behaviour.source({ env: this.env, name, plugins, relay: this.#services.relay });
        this.#sources.push(source);
        return new CarriedFactory(this.env, source, {
          options: behaviour.options,
          auth: behaviour.auth,
          reloads: behaviour.reloads,
          limiter: this.#services.limiter,
          database: behaviour.needs.includes("database"),
          statementMs: behaviour.statementMs,
          actors: behaviour.needs.includes("actors") ? this.#outward : undefined,
        });
      }
      case "remote":
        return this.#hosted(behaviour);
    }
  }

  /** Actors that hosts may bring, beside those that are registered. */
  #brought(
    { sqlTimeLimitMs }: HostsConfig,
    registered: ReadonlyMap<string, InstanceFactory>,
    watched: (plain: InstanceFactory) => InstanceFactory,
  ): Factories {
    const { catalogue } = this;
    const make = ({ pool, database }: KnownActor): InstanceFactory =>
      watched(this.#hosted({ pool, database, statementMs: database ? sqlTimeLimitMs : undefined }));
    return new HostedFactories({ registered, catalogue, make });
  }

  /** An actor of the hosts of a pool. Its code is the program's own. */
  #hosted({ pool, database, statementMs }: Omit<RemoteBehaviour, "kind">): InstanceFactory {
    return new CarriedFactory(
      this.env,
      {
        carrier: ({ namespace, name }) => this.hosts.carrier({ namespace, pool, name }),
        close: () => Promise.resolve(),
      },
      {
        database,
        statementMs,
        actors: this.#outward,
        limiter: this.#services.limiter,
        wake: (id) => void this.#wake(id),
      },
    );
  }
}

/** The same client under the types of its user's registry: those exist at compile time alone. */
function retyped<R extends ClientRegistry>(client: Client): Client<R> {
  return client as Client<R>;
}
