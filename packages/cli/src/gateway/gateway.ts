/**
 * Gateway: between an agent and its model provider, with a relay and its plugins in the path.
 *
 * Up: the trace, components, plugins, then the listener, so that no request comes before the last guardrail is there. Down, from
 * a signal or from a start that fails halfway: the listener, the plugins, the trace. Whatever was begun is ended.
 *
 * Reloads and the end stand in one line. An end that is asked for during a reload waits for it, so that it finds the listener that is
 * open then; until it is there nobody who asks is told yes.
 */
import { basename, dirname } from "node:path";
import type { Logger } from "@troupe/base";
import { type ActivePlugins, activatePlugins } from "@troupe/plugins/activation";
import type { Relay } from "@troupe/relay";
import { proxyOf, Upstreams, type UpstreamUrls } from "@troupe/relay/model-proxy";
import { AtofExporter, createRelay, PrometheusExporter, platformEnv } from "@troupe/relay/node";
import { nodeEnv } from "@troupe/runtime/process";
import { askedPlugins } from "./asked-plugins.ts";
import { Changes } from "./changes.ts";
import { GatewayMetrics } from "./metrics.ts";
import { isWatched } from "./model-request.ts";
import type { GatewayOptions } from "./options.ts";
import { readKeys } from "./provider-key.ts";
import { RelayComponents } from "./relay-components.ts";
import { GatewayServer, type ServerRoute } from "./server.ts";
import { withToken } from "./token.ts";
import { prepareTraceFile } from "./trace-file.ts";

/** For a gateway that serves one agent alone. */
export interface ForOneAgent {
  /** See `token.ts`. */
  readonly token: string;
  readonly session: string;
  /** Called before anything is activated: who listens from the start. */
  readonly listen: (relay: Relay) => void;
}

/** What a gateway has from outside. */
export interface GatewayGround {
  /** Where keys are looked for. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** For one agent alone; undefined: for any on this machine. */
  readonly agent?: ForOneAgent;
  /** Where plugins say what they do, and the relay what of them fails. Default: standard error. */
  readonly log?: Logger | undefined;
}

/** What a gateway is made of, while it runs. */
interface Parts {
  readonly options: GatewayOptions;
  readonly env: NonNullable<GatewayGround["env"]>;
  readonly route: ServerRoute & {
    readonly plugins: ActivePlugins;
    readonly rules: { unknownPaths: GatewayOptions["unknownPaths"] };
  };
  readonly components: RelayComponents;
  readonly changes: Changes;
  readonly server: GatewayServer;
}

/** A gateway that runs. */
export class Gateway implements AsyncDisposable {
  readonly #parts: Parts;
  #options: GatewayOptions;
  #server: GatewayServer;
  /** Listeners of before, on which something is still under way. */
  readonly #left = new Set<GatewayServer>();
  readonly #teardown: AsyncDisposableStack;

  private constructor(parts: Parts, teardown: AsyncDisposableStack) {
    this.#parts = parts;
    this.#options = parts.options;
    this.#server = parts.server;
    this.#teardown = teardown;
  }

  /** Where it listens. */
  get origin(): string {
    return this.#server.url;
  }

  /** The address that is called there: with its token, if it has one. */
  get url(): string {
    const { token } = this.#parts.route;
    return token === undefined ? this.origin : withToken({ origin: this.origin, token });
  }

  /** Where model calls go. */
  get upstreams(): UpstreamUrls {
    return this.#parts.route.upstreams.urls;
  }

  get plugins(): ActivePlugins {
    return this.#parts.route.plugins;
  }

  /** Throws `plugin.*`, `relay.config_invalid`, `config.*`; nothing is left running then. */
  static async start(
    options: GatewayOptions,
    { env = {}, agent, log }: GatewayGround = {},
  ): Promise<Gateway> {
    await using starting = new AsyncDisposableStack();
    const keys = await readKeys(options.keys, env);
    // Relay and plugins speak in one form.
    const pluginEnv = log === undefined ? nodeEnv() : { ...nodeEnv(), log };
    const relay = createRelay({ env: { ...platformEnv(), log: pluginEnv.log } });
    agent?.listen(relay);
    if (options.atof !== undefined) {
      await prepareTraceFile(options.atof);
      const place = { outputDirectory: dirname(options.atof), filename: basename(options.atof) };
      const exporter = starting.use(new AtofExporter(place));
      exporter.register(relay, "atof");
    }
    const exporter = starting.use(new PrometheusExporter());
    exporter.register(relay, "prometheus");
    const components = starting.use(await RelayComponents.start(relay, options.components));
    const asked = await askedPlugins(options);
    const plugins = starting.use(await activatePlugins({ ...asked, relay, env: pluginEnv }));
    const ways = { proxies: env, roots: options.roots };
    const upstreams = starting.adopt(new Upstreams(options.upstreams, keys, ways), (it) => it.close());
    const metrics = new GatewayMetrics();
    const passesUnread = (): boolean => !isWatched(relay);
    const changes = new Changes();
    const parts = { relay, upstreams, plugins, metrics, exporter, passesUnread, ending: changes.ending };
    const rules = { unknownPaths: options.unknownPaths };
    const route = { ...parts, rules, ...forAgent(agent) };
    const server = await GatewayServer.listen(route, options);
    return new Gateway({ options, env, route, components, changes, server }, starting.move());
  }

  /**
   * Reads the keys, the lists, the policy and every plugin anew, and puts them in the place of those that run; `options` are those
   * of now, of which all but the trace's file count. Reloads follow each other. Throws as a start does, and `gateway.stopping`; what
   * ran goes on then.
   */
  async reload(options?: GatewayOptions): Promise<void> {
    await this.#parts.changes.make(() => this.#reload(options ?? this.#options));
  }

  async #reload(options: GatewayOptions): Promise<void> {
    const { route, components, env } = this.#parts;
    const keys = await readKeys(options.keys, env);
    checkProxies(options, env);
    const { host, port } = this.#options;
    // It has the guardrails of now, as the old one has: either is guarded in each moment.
    const moved =
      host === options.host && port === options.port ? undefined : await GatewayServer.listen(route, options);
    try {
      await components.change(options.components, async (change) => {
        await route.plugins.reload({ ...(await askedPlugins(options)), before: change });
      });
    } catch (error) {
      await moved?.close();
      throw error;
    }
    route.upstreams.change(options.upstreams, keys);
    route.rules.unknownPaths = options.unknownPaths;
    this.#options = options;
    if (moved === undefined) return;
    const old = this.#server;
    this.#server = moved;
    this.#left.add(old);
    void old.leave().then(() => this.#left.delete(old));
  }

  /** Ends it in order, behind a reload that is under way. From now on hooks say no, and nothing new is served. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.changes.end(() => this.#end());
  }

  async #end(): Promise<void> {
    try {
      // The agent has ended: what it left behind may call models no longer, and holds up nobody who waits for it.
      const now = this.#parts.route.token !== undefined;
      await Promise.all([this.#server, ...this.#left].map((server) => server.close({ now })));
    } finally {
      await this.#teardown.disposeAsync();
    }
  }
}

/** Throws `gateway.bad_proxy`, before anything of a reload has taken effect. */
function checkProxies({ upstreams }: GatewayOptions, env: NonNullable<GatewayGround["env"]>): void {
  for (const url of Object.values(upstreams)) proxyOf(url, env);
}

function forAgent(agent: ForOneAgent | undefined) {
  return { token: agent?.token, session: agent?.session };
}
