/**
 * `setup({ use })`: names for actors, and the ways to run them.
 */
import type { Env } from "@troupe/base";
import type { Client } from "@troupe/client";
import { checkName } from "@troupe/protocol";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { nearest } from "../actor/nearest.ts";
import { configErrors } from "../errors.ts";
import { type AccessConfig, checkBind, isLoopback } from "../gateway/access.ts";
import type { AppFetch } from "../gateway/app.ts";
import { handleFetch } from "../gateway/fetch-handler.ts";
import { errorResponse } from "../gateway/http-message.ts";
import type { Listening, OpenStore, Platform, ResolvedStartOptions, StartOptions } from "./platform.ts";
import { Runtime } from "./runtime.ts";

/** What `setup` takes. */
export interface RegistryConfig<U extends Readonly<Record<string, AnyActorDefinition>>> extends AccessConfig {
  /** Names to definitions. */
  readonly use: U;
  /** Awake actors at once; past it the longest idle sleep early. */
  readonly maxAwakeActors?: number;
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

/** Where a started registry serves. */
export interface Server {
  readonly endpoint: string;
  readonly port: number;
  readonly host: string;
}

/** What a running registry holds. */
interface Open {
  readonly store: OpenStore;
  readonly runtime: Runtime;
  readonly ungateFetch: () => void;
  listening?: Listening;
}

/** What a client may take to read its last messages when a registry stops. */
const CLOSE_GRACE_MS = 1_000;

/** Actors by name, and what runs them: `start`, `handler`, `stop`. */
export class Registry<U extends Readonly<Record<string, AnyActorDefinition>>> {
  /** Types only; never there at run time. */
  declare readonly "~types"?: { readonly use: U };
  /** What `setup` was given, frozen. */
  readonly config: RegistryConfig<U>;
  readonly #platform: Platform;
  #opening: Promise<Open> | undefined;
  #stopping: Promise<void> | undefined;
  #unwatch: (() => void) | undefined;

  constructor(config: RegistryConfig<U>, platform: Platform) {
    checkConfig(config);
    this.config = Object.freeze({ ...config, use: Object.freeze({ ...config.use }) });
    this.#platform = platform;
  }

  /**
   * Serves actors over HTTP and WebSocket; settles when it does.
   *
   * Throws `config.port_in_use`, `config.unsafe_bind`, `storage.*`.
   */
  async start(options: StartOptions = {}): Promise<Server> {
    const resolved = this.#platform.resolve(options);
    checkBind(resolved.host, this.config);
    const open = await this.#open(resolved);
    if (open.listening !== undefined) throw configErrors.alreadyStarted(open.listening.endpoint);
    try {
      open.listening = await this.#platform.listen({
        env: open.runtime.env,
        gateway: open.runtime.gateway,
        host: resolved.host,
        port: resolved.port,
      });
    } catch (cause) {
      await this.stop();
      throw cause;
    }
    if (resolved.signals) this.#unwatch = this.#platform.onSignal(() => this.stop());
    if (resolved.banner) this.#banner(open.listening, resolved);
    const { endpoint, port, host } = open.listening;
    return { endpoint, port, host };
  }

  /** Answers one request, without a server of our own. Opens the store at the first call. Never rejects. */
  readonly handler = async (request: Request): Promise<Response> => {
    let open: Open;
    try {
      open = await this.#open(this.#platform.resolve({}));
    } catch (cause) {
      const { status, headers, body } = errorResponse(cause, "json");
      return new Response(String(body), { status, headers });
    }
    return await handleFetch(open.runtime.gateway, request);
  };

  /** A client that needs no network. Opens the store at the first call. */
  async client(): Promise<Client<Registry<U>>> {
    const open = await this.#open(this.#platform.resolve({}));
    return open.runtime.client<Registry<U>>();
  }

  /** No new work → actors are saved and sleep → sockets close → files are given back. Settles when all is done. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined;
      this.#opening = undefined;
    });
    return this.#stopping;
  }

  #open(options: ResolvedStartOptions): Promise<Open> {
    this.#opening ??= this.#openNow(options).catch((cause: unknown) => {
      this.#opening = undefined;
      throw cause;
    });
    return this.#opening;
  }

  async #openNow(options: ResolvedStartOptions): Promise<Open> {
    const env = this.#platform.env();
    const store = await this.#platform.openStore({
      env,
      dataDir: options.dataDir,
      durability: options.durability,
      onFatal: (cause) => this.#platform.fatal(cause),
    });
    const runtime = new Runtime({
      env,
      directory: store.directory,
      storage: store.storage,
      use: this.config.use,
      access: this.config,
      maxAwakeActors: this.config.maxAwakeActors,
      memoryShort: () => this.#platform.memoryShort(env.clock.monotonic()),
      app: this.config.fetch,
    });
    const ungateFetch = this.#platform.gateFetch(runtime.departure);
    for (const [name, { descriptor }] of Object.entries(this.config.use)) {
      if (descriptor.ignoredOptions.length > 0) {
        env.log.warn("options that have no effect", { actor: name, options: descriptor.ignoredOptions });
      }
    }
    await runtime.start();
    return { store, runtime, ungateFetch };
  }

  async #stop(): Promise<void> {
    if (this.#opening === undefined) return;
    const open = await this.#opening;
    this.#unwatch?.();
    // The door stays open while actors are saved: /readyz says no, and whoever calls is told to try elsewhere.
    await open.runtime.stop();
    if (open.listening !== undefined) await closeDoor(open.listening, open.runtime.env);
    open.ungateFetch();
    await open.store.close();
  }

  #banner(listening: Listening, options: ResolvedStartOptions): void {
    const names = Object.keys(this.config.use).join(", ");
    const where =
      options.durability === "memory" ? "in memory" : `${options.dataDir} (${options.durability})`;
    this.#platform.print(`troupe  ${listening.endpoint}   actors: ${names}   data: ${where}`);
    if (isLoopback(options.host) || this.config.auth !== "application") return;
    const open = Object.entries(this.config.use)
      .filter(([, { behaviour }]) => behaviour.hooks.onBeforeConnect === undefined)
      .map(([name]) => name);
    if (open.length > 0)
      this.#platform.print(`troupe  without onBeforeConnect, open to everyone: ${open.join(", ")}`);
  }
}

/** Lets answers and close frames get out; who doesn't take them in time is cut off. */
async function closeDoor(listening: Listening, env: Env): Promise<void> {
  const timer = env.timers.set(() => listening.end(), CLOSE_GRACE_MS);
  await listening.close();
  env.timers.clear(timer);
}

const configKeys = ["use", "maxAwakeActors", "fetch", "allowedHosts", "allowedOrigins", "auth", "token"];

function checkConfig(config: RegistryConfig<Readonly<Record<string, AnyActorDefinition>>>): void {
  for (const key of Object.keys(config)) {
    if (!configKeys.includes(key)) throw configErrors.unknownSetupKey(key, nearest(key, configKeys));
  }
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
