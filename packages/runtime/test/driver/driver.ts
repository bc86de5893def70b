/**
 * A runtime over the in-memory store, with every door and every lever that the stories need. It is the production's
 * host, gateway and client; only time, disk and network are the test's.
 */
import { type Client, type ClientConfig, createClient } from "@troupe/client";
import type { AnyActorDefinition } from "../../src/actor/definition.ts";
import { Catalogue } from "../../src/engine/catalogue.ts";
import type { AccessConfig } from "../../src/gateway/access.ts";
import { handleFetch } from "../../src/gateway/fetch-handler.ts";
import type { GatewayResponse } from "../../src/gateway/http-message.ts";
import type { InspectorSettings } from "../../src/inspector/config.ts";
import { ownInMemory } from "../../src/node/sqlite/own/open-own-files.ts";
import { memoryCatalogue } from "../../src/ports/catalogue-file.ts";
import { MemoryDisk } from "../../src/ports/memory/disk.ts";
import { MemoryStorage } from "../../src/ports/memory/storage.ts";
import type { PluginSet } from "../../src/ports/plugin-set.ts";
import type { ByteSource } from "../../src/ports/raw.ts";
import type { RowChange } from "../../src/ports/storage.ts";
import type { RateLimits } from "../../src/rate-limit/rate-limits.ts";
import type { Registry } from "../../src/registry/registry.ts";
import { Runtime } from "../../src/registry/runtime.ts";
import type { HostsConfig } from "../../src/remote/host-tokens.ts";
import type { RelaySetting } from "../../src/traced/tracing.ts";
import { carried } from "./carried.ts";
import { CreatingDirectory } from "./creating-directory.ts";
import { HeldDisk } from "./held-disk.ts";
import { RecordingStorage, type Taken } from "./recording-storage.ts";
import { TestSocket, webSocketTo } from "./socket.ts";
import { World } from "./world.ts";

type Use = Readonly<Record<string, AnyActorDefinition>>;

export interface DriverOptions {
  readonly access?: AccessConfig;
  readonly maxAwakeActors?: number;
  /** For every namespace and pool. */
  readonly hostToken?: string;
  readonly hosts?: HostsConfig;
  /** Namespaces that are there from the start, as `setup({ namespaces })` has them. */
  readonly namespaces?: readonly string[];
  readonly rateLimit?: RateLimits;
  readonly inspector?: InspectorSettings;
  readonly relay?: RelaySetting;
  readonly plugins?: PluginSet;
  /** Actors may have a database. It is in memory and ends with its process, also in a crash: see `sql/ground.ts` for files. */
  readonly databases?: boolean;
}

/** A decoded HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body's `output`. */
  readonly output?: unknown;
  readonly actorId?: string;
  /** `group.code` of the body's error. */
  readonly code?: string;
  readonly error?: { readonly message: string; readonly metadata?: unknown; readonly retryable: boolean };
}

/** One process after the other over one disk. */
export class Driver<U extends Use> {
  readonly disk = new MemoryDisk();
  readonly syncs = new HeldDisk(this.disk);
  /** What namespaces are kept in: it outlives a crash. */
  readonly catalogue = memoryCatalogue();
  readonly taken: Taken[] = [];
  readonly directory: CreatingDirectory;
  #use: U;
  readonly #options: DriverOptions;
  #storage: MemoryStorage;
  #recording: RecordingStorage;
  #world: World;
  #runtime: Runtime;
  readonly #clients: { dispose(): Promise<void> }[] = [];
  fatal: unknown;
  /** So many answers of HTTP requests that come now don't reach the client. */
  lostAnswers = 0;

  private constructor(use: U, options: DriverOptions) {
    this.#options = options;
    this.#use = this.#asHere(use);
    this.#world = new World();
    this.directory = new CreatingDirectory({ env: this.#world, forget: (id) => this.#storage.forget(id) });
    this.#storage = this.#openStorage();
    this.#recording = new RecordingStorage(this.#storage, this.taken, this.disk.faults);
    this.#runtime = this.#open();
  }

  static async start<U extends Use>(use: U, options: DriverOptions = {}): Promise<Driver<U>> {
    const driver = new Driver(use, options);
    await driver.#runtime.start();
    return driver;
  }

  get world(): World {
    return this.#world;
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  get storage(): RecordingStorage {
    return this.#recording;
  }

  /** The real client over the real HTTP transport; its fetch and WebSocket end in the gateway. */
  client(config: ClientConfig = {}): Client<Registry<U>> {
    const world = this.#world;
    const place = this.#clients.length;
    const client = createClient<Registry<U>>({
      env: {
        clock: world.clock,
        timers: world.timers,
        // Tickets are made of it: no two clients have the same.
        random: () => (world.random() + place / 1_024) % 1,
        log: world.log,
        fetch: async (url, init) => {
          const { pathname, search } = new URL(url);
          const body = typeof init.body === "string" ? Buffer.from(init.body) : init.body;
          const answer = await this.#request(init.method, pathname + search, init.headers, body, init.signal);
          if (this.lostAnswers > 0) {
            this.lostAnswers -= 1;
            throw new TypeError("the connection was reset");
          }
          return {
            status: answer.status,
            headers: { get: (name) => answer.headers[name] ?? null },
            body: answer.stream === undefined ? null : readable(answer.stream),
            arrayBuffer: async () => Uint8Array.from(Buffer.from(answer.body)).buffer,
          };
        },
        streamingFetch: (url, init) => handleFetch(this.#runtime.gateway, new Request(url, init)),
        WebSocket: webSocketTo(world, () => this.#runtime.gateway),
      },
      ...config,
    });
    this.#clients.push(client);
    return client;
  }

  /** The runtime's own client: no gateway, no network. */
  local(): Client<Registry<U>> {
    return this.#runtime.client<Registry<U>>();
  }

  /** A request over the gateway's HTTP door. `body` is sent as JSON, bytes as they are. */
  async http(
    method: string,
    url: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const bytes =
      body instanceof Uint8Array ? body : Buffer.from(body === undefined ? "" : JSON.stringify(body));
    const response = await this.#request(method, url, { host: "127.0.0.1", ...headers }, bytes);
    return readAnswer(response);
  }

  /** An action over HTTP. `actor` is "name" or "name?key=a". */
  act(actor: string, action: string, ...args: unknown[]): Promise<Answer> {
    const [name, query] = actor.split("?");
    return this.http("POST", `/actor/${name}/action/${action}${query === undefined ? "" : `?${query}`}`, {
      args,
    });
  }

  socket(url: string): TestSocket {
    return new TestSocket(this.#world, this.#runtime.gateway, url);
  }

  /** The rows of all batches since the last look, without those of other actors. */
  takeBatches(actorId?: string): (readonly RowChange[])[] {
    const taken = this.taken.splice(0);
    return taken
      .filter((entry) => (actorId === undefined || entry.actorId === actorId) && entry.batch.rows.length > 0)
      .map((entry) => entry.batch.rows);
  }

  /** The process dies with the power, and another starts on what the disk holds. Claims die with the process. */
  async crash(options: { readonly keepGroups?: number } = {}): Promise<void> {
    this.#world.kill();
    this.disk.crash(options);
    await this.#reopen();
  }

  /** An orderly stop, and a new start; of another version of the program, if there is one. */
  async restart(use?: U): Promise<void> {
    await this.#runtime.stop();
    if (use !== undefined) this.#use = this.#asHere(use);
    this.#world.kill();
    await this.#reopen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.syncs.letGo();
    await Promise.all(this.#clients.map((client) => client.dispose()));
    // Whatever a story left hanging must not hang its end: the world ends first.
    this.#world.kill();
  }

  async #reopen(): Promise<void> {
    const before = this.#world;
    this.#world = new World();
    this.#world.startAt(before);
    this.syncs.letGo();
    this.#storage = this.#openStorage();
    this.#recording = new RecordingStorage(this.#storage, this.taken, this.disk.faults);
    this.#runtime = this.#open();
    await this.#runtime.start();
  }

  #openStorage(): MemoryStorage {
    return new MemoryStorage({
      env: this.#world,
      disk: this.disk,
      onFatal: (cause) => {
        this.fatal = cause;
      },
      ...(this.#options.databases === true ? { own: ownInMemory(this.#world) } : {}),
    });
  }

  /** The definitions, or in the stories' second run the same behind actor/v1. */
  #asHere(use: U): U {
    if (process.env["TROUPE_TEST_CARRIED"] !== "1") return use;
    const { relay } = this.#options;
    return carried(use, undefined, relay !== undefined && "on" in relay ? relay.on : relay);
  }

  #open(): Runtime {
    const catalogue = new Catalogue(this.#world, this.catalogue);
    for (const name of this.#options.namespaces ?? []) catalogue.ensure(name);
    return new Runtime({
      env: this.#world,
      directory: this.directory,
      storage: this.#recording,
      use: this.#use,
      access: this.#options.access ?? {},
      maxAwakeActors: this.#options.maxAwakeActors,
      hosts: this.#options.hosts ?? hostsWith(this.#options.hostToken),
      catalogue,
      rateLimit: this.#options.rateLimit,
      inspector: this.#options.inspector,
      plugins: this.#options.plugins,
      relay: this.#options.relay,
    });
  }

  /** A request over fetch's door, whose bodies stream. `path` is behind `http://127.0.0.1`. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return handleFetch(this.#runtime.gateway, new Request(`http://127.0.0.1${path}`, init));
  }

  /** A request whose answer is given as it is. */
  raw(
    method: string,
    url: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
  ): Promise<GatewayResponse> {
    return this.#request(method, url, { host: "127.0.0.1", ...headers }, body);
  }

  #request(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    gone?: AbortSignal,
  ): Promise<GatewayResponse> {
    return new Promise((resolve) => {
      const request = {
        method,
        url,
        body,
        header: (name: string) => headers[name],
        onGone: (listener: () => void) => gone?.addEventListener("abort", listener),
        toRequest: () => new Request(`http://127.0.0.1${url}`, { method, headers }),
      };
      this.#runtime.gateway.http(request, resolve);
    });
  }
}

function readable(source: ByteSource): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      pull: async (controller) => {
        const bytes = await source.read();
        if (bytes === undefined) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: () => source.cancel(),
    },
    { highWaterMark: 0 },
  );
}

/** Takes an answer apart. */
export function readAnswer(response: GatewayResponse): Answer {
  const { status, headers } = response;
  const text = typeof response.body === "string" ? response.body : Buffer.from(response.body).toString();
  if (headers["content-type"] !== "application/json" || text === "") return { status, headers, text };
  const body = JSON.parse(text) as {
    output?: unknown;
    actorId?: string;
    error?: Answer["error"] & { group: string; code: string };
  };
  return {
    status,
    headers,
    text,
    ...("output" in body ? { output: body.output } : {}),
    ...(body.actorId === undefined ? {} : { actorId: body.actorId }),
    ...(body.error === undefined
      ? {}
      : { error: body.error, code: `${body.error.group}.${body.error.code}` }),
  };
}

function hostsWith(token: string | undefined): HostsConfig | undefined {
  return token === undefined ? undefined : { token };
}
