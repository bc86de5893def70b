/**
 * `setup({ use })`: names for actors, and the ways to run them.
 *
 *   closed ──client, handler──▶ open ──start──▶ open, with a door ──stop──▶ closed
 *      └──────────────────────start──────────────────▲
 *
 * Steps from one state to another are taken one after the other, in the order in which they were asked for: a stop waits
 * for the start before it, a second start finds the first one's door. A step that fails gives back what it took itself,
 * and nothing else.
 */
import type { TroupeError } from "@troupe/base";
import type { Client } from "@troupe/client";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { inMemory } from "../backup-in-memory.ts";
import type { Catalogue } from "../engine/catalogue.ts";
import { actorErrors, setupErrors } from "../errors.ts";
import { checkBind, isLoopback } from "../gateway/access.ts";
import { handleFetch } from "../gateway/fetch-handler.ts";
import { errorResponse, type GatewayResponse } from "../gateway/http-message.ts";
import { inspectorSettings } from "../inspector/config.ts";
import type { BackupOptions, BackupSummary } from "../ports/backup.ts";
import type { RemoteHosts } from "../remote/remote-hosts.ts";
import { closeDoor } from "./close-door.ts";
import { checkConfig, type RegistryConfig } from "./config.ts";
import { type ClientEngine, engineClient, type RegistryClientOptions } from "./engine-client.ts";
import { closeRegistry, type Open, openRegistry } from "./open-registry.ts";
import type { Listening, Platform, ResolvedStartOptions, StartOptions } from "./platform.ts";
import {
  type ProgramHost,
  type ProgramHostOptions,
  serverlessHandler,
  startProgramHost,
} from "./program-host.ts";

/** Where a started registry serves. */
export interface Server {
  readonly endpoint: string;
  readonly port: number;
  readonly host: string;
}

/** Actors by name, and what runs them: `start`, `handler`, `stop`. */
export class Registry<U extends Readonly<Record<string, AnyActorDefinition>>> {
  /** Types only; never there at run time. */
  declare readonly "~types"?: { readonly use: U };
  /** What `setup` was given, frozen. */
  readonly config: RegistryConfig<U>;
  readonly #platform: Platform;
  /** Also while it stops: whoever calls is told so. */
  #open: Open | undefined;
  /** It runs its actors for an engine elsewhere. */
  #away: ProgramHost | undefined;
  /** Those that run for engines elsewhere. */
  readonly #hosts = new Set<ProgramHost>();
  /** What the store was last opened with: whoever opens it again without options means the same one. */
  #last: ResolvedStartOptions | undefined;
  /** By `stop`, and not opened since. */
  #stopped = false;
  /** Settles, well, when all steps that were asked for are done. */
  #steps: Promise<unknown> = Promise.resolve();

  constructor(config: RegistryConfig<U>, platform: Platform) {
    checkConfig(config);
    this.config = Object.freeze({ ...config, use: Object.freeze({ ...config.use }) });
    this.#platform = platform;
  }

  /**
   * Serves actors over HTTP and WebSocket; settles when it does. With TROUPE_ENDPOINT in the environment it runs them for the
   * engine there instead, as `startHost` does, and says where the engine serves.
   *
   * Throws `config.port_in_use`, `config.hosts_missing`, `config.unsafe_bind`, `config.already_started`, `config.opened_otherwise`,
   * `sqlite.unavailable`, `storage.*`.
   */
  async start(options: StartOptions = {}): Promise<Server> {
    try {
      const resolved = this.#platform.resolve(options);
      if (this.#platform.engine().endpoint !== undefined) return await this.#startAway(resolved);
      checkBind(resolved.host, this.config);
      return await this.#step(() => this.#start(resolved));
    } catch (cause) {
      this.#platform.pointAt?.(cause, this.start);
      throw cause;
    }
  }

  /**
   * Runs the actors for an engine elsewhere, which has them as `remoteActor()`: nothing is stored or served here. Settles when
   * the engine has taken the host. Throws `config.not_on_host`, `host.wrong_token`, `protocol.incompatible`.
   */
  async startHost(options: ProgramHostOptions = {}): Promise<ProgramHost> {
    const host = await this.#step(() => startProgramHost(this.#platform, this.config, options));
    // A host process of this machine knows its engine by a socket that takes no clients.
    if (options.processOf === undefined) this.#hosts.add(host);
    void host.over.then(() => this.#hosts.delete(host));
    return host;
  }

  /** The hosts that run this engine's remote actors. Throws `config.not_started`. */
  get remoteHosts(): RemoteHosts {
    if (this.#open === undefined) throw setupErrors.notStarted();
    return this.#open.runtime.hosts;
  }

  /**
   * Answers one request, without a server of our own: for actors, or with TROUPE_ENDPOINT in the environment for an engine that
   * asks for a host. Opens the store at the first call, and behind a `stop()` again, with what
   * it was started with. Never rejects.
   */
  readonly handler = async (request: Request): Promise<Response> => {
    if (this.isElsewhere) return await this.serverless()(request);
    let open: Open;
    try {
      open = await this.#opened();
    } catch (cause) {
      const { status, headers, body } = this.unopened(cause);
      return new Response(String(body), { status, headers });
    }
    try {
      return await handleFetch(open.runtime.gateway, request);
    } catch (cause) {
      // What it was given is no request.
      const { status, headers, body } = open.runtime.gateway.refusal(cause, "json");
      return new Response(String(body), { status, headers });
    }
  };

  /**
   * Answers the `POST …/start` of an engine elsewhere, for platforms that run functions: this program's actors run for as long as
   * the answer lasts. With TROUPE_ENDPOINT in the environment `handler` does the same. Throws `config.not_on_host`,
   * `config.invalid_option`.
   */
  serverless(options: ProgramHostOptions = {}): (request: Request) => Promise<Response> {
    return serverlessHandler(this.#platform, this.config, options);
  }

  /**
   * A client that needs no network. Opens the store as `handler` does. Where this program runs its actors for an engine
   * elsewhere (`startHost`, TROUPE_ENDPOINT) it is a client of that engine, as `createClient` makes one, and nothing is
   * opened here. Rejects with `namespace.not_found`.
   */
  async client(options: RegistryClientOptions = {}): Promise<Client<Registry<U>>> {
    const engine = this.#engine();
    if (engine !== undefined) return engineClient<Registry<U>>(engine, options);
    const { runtime } = await this.#opened();
    return runtime.client<Registry<U>>(runtime.catalogue.idOf(options.namespace));
  }

  /** The namespaces of this registry: `list`, `create`, `rename`. Throws `config.not_started`. */
  get namespaces(): Pick<Catalogue, "list" | "create" | "rename"> {
    if (this.#open === undefined) throw setupErrors.notStarted();
    return this.#open.runtime.catalogue;
  }

  /**
   * Copies all data into a folder that isn't there yet, while actors are in use: `docs/backup.md`. The folder is there when it
   * is whole and durable, or not at all. Rejects with `config.not_started`, `backup.*`, `storage.*`, and the signal's reason.
   */
  async backup(to: string, options?: BackupOptions): Promise<BackupSummary> {
    if (this.#open === undefined) throw setupErrors.notStarted();
    const { store } = this.#open;
    if (store.backup === undefined) throw inMemory();
    return await store.backup(to, options);
  }

  /** No new work → actors are saved and sleep → sockets close → files are given back. Settles when all is done. */
  stop(): Promise<void> {
    return this.#step(async () => {
      this.#stopped = true;
      await this.#away?.drain();
      this.#away = undefined;
      if (this.#open === undefined) return;
      try {
        await closeRegistry(this.#open);
      } finally {
        this.#open = undefined;
      }
    });
  }

  /** True where TROUPE_ENDPOINT says that an engine elsewhere has the actors. */
  protected get isElsewhere(): boolean {
    return this.#platform.engine().endpoint !== undefined;
  }

  /**
   * What doors of a program's own server lead to. Opens the store as `handler` does, but not behind a `stop()`: the clients that it
   * has sent away come back at once, and would undo it. Throws `actor.stopping` then.
   */
  protected async served(): Promise<Pick<Open, "runtime" | "doors">> {
    if (this.#open === undefined && this.#stopped) throw actorErrors.stopping();
    return await this.#opened();
  }

  /** The answer of a registry that can't be opened; the log has why. */
  protected unopened(cause: unknown): GatewayResponse {
    const { ids, log } = this.#platform.env();
    const id = ids.random();
    log.error("the registry could not be opened", { id, cause });
    return errorResponse(cause, "json", id);
  }

  /** Tells whoever reads the log that a server of the program's lets others in, whom nothing is served to. */
  protected unsafe({ group, code, message }: TroupeError): void {
    const { log } = this.#platform.env();
    log.error("requests from other machines are refused", { code: `${group}.${code}`, why: message });
  }

  /** Who has the actors of this program, when it isn't the program itself. */
  #engine(): ClientEngine | undefined {
    if (this.#open !== undefined) return undefined;
    const [host] = this.#hosts;
    const { endpoint, namespace } = host ?? this.#platform.engine();
    return endpoint === undefined ? undefined : { endpoint, namespace, token: this.config.token };
  }

  #step<R>(step: () => Promise<R>): Promise<R> {
    const done = this.#steps.then(step);
    this.#steps = done.catch(() => {});
    return done;
  }

  async #opened(): Promise<Open> {
    if (this.#open !== undefined) return this.#open;
    const options = this.#last ?? this.#platform.resolve({});
    return await this.#step(async () => {
      // A start may have been asked for before, and a stop behind it.
      this.#open ??= await openRegistry(this.#platform, this.config, this.#last ?? options);
      this.#stopped = false;
      return this.#open;
    });
  }

  async #startAway({ signals }: ResolvedStartOptions): Promise<Server> {
    if (this.#away !== undefined) throw setupErrors.alreadyStarted(this.#away.endpoint);
    this.#away = await this.startHost({ signals });
    const { origin, hostname, port } = new URL(this.#away.endpoint);
    return { endpoint: origin, host: hostname, port: Number(port) };
  }

  async #start(options: ResolvedStartOptions): Promise<Server> {
    if (this.#open?.listening !== undefined) throw setupErrors.alreadyStarted(this.#open.listening.endpoint);
    if (this.#open !== undefined) checkOpenedAs(this.#open.options, options);
    const open = this.#open ?? (await openRegistry(this.#platform, this.config, options));
    let listening: Listening;
    try {
      listening = await this.#listen(open, options);
    } catch (cause) {
      if (open !== this.#open) await closeRegistry(open);
      throw cause;
    }
    this.#open = open;
    this.#stopped = false;
    this.#last = open.options;
    if (options.signals) open.unwatch = this.#platform.onSignal(() => this.stop());
    if (options.banner) this.#banner(listening, options);
    const { endpoint, port, host } = listening;
    return { endpoint, port, host };
  }

  /** Opens the doors of our own. */
  async #listen(
    open: Open,
    { host, port, hostProcesses }: Pick<ResolvedStartOptions, "host" | "port" | "hostProcesses">,
  ): Promise<Listening> {
    const { env, gateway } = open.runtime;
    const hostDoor = hostProcesses && (await this.#platform.listenForHosts(gateway, hostProcesses.socket));
    try {
      const listening = await this.#platform.listen({ env, gateway, host, port });
      open.doors.push(listening, ...(hostDoor === undefined ? [] : [hostDoor]));
      open.listening = listening;
      return listening;
    } catch (cause) {
      if (hostDoor !== undefined) await closeDoor(hostDoor, env);
      throw cause;
    }
  }

  #banner(listening: Listening, options: ResolvedStartOptions): void {
    const names = Object.keys(this.config.use).join(", ");
    this.#platform.print(`troupe  ${listening.endpoint}   actors: ${names}   data: ${where(options)}`);
    if (inspectorSettings(this.config.inspector, this.#platform.inspector?.())?.page !== undefined)
      this.#platform.print(`troupe  inspector: ${listening.endpoint}/inspector/ui`);
    if (isLoopback(options.host) || this.config.auth !== "application") return;
    const open = Object.entries(this.config.use)
      .filter(([, { behaviour }]) => behaviour.kind === "local" && !behaviour.hooks.onBeforeConnect)
      .map(([name]) => name);
    if (open.length > 0)
      this.#platform.print(`troupe  without onBeforeConnect, open to everyone: ${open.join(", ")}`);
  }
}

/** Where actors are kept was decided when the store was opened: nobody is told otherwise. */
function checkOpenedAs(opened: ResolvedStartOptions, wanted: ResolvedStartOptions): void {
  if (where(opened) !== where(wanted)) throw setupErrors.openedOtherwise(where(opened));
}

/** Where and how actors are kept. */
function where({ dataDir, durability }: ResolvedStartOptions): string {
  return durability === "memory" ? "in memory" : `${dataDir} (${durability})`;
}
