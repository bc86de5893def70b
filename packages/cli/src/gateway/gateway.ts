/**
 * Gateway: between an agent and its model provider, with a relay and its plugins in the path.
 *
 * Up: the trace, components, plugins, then the listener, so that no request comes before the last guardrail is there. Down, from
 * a signal or from a start that fails halfway: the listener, the plugins, the trace. Whatever was begun is ended.
 */
import { basename, dirname } from "node:path";
import { type ActivePlugins, activatePlugins } from "@troupe/plugins";
import type { Relay } from "@troupe/relay";
import { Upstreams, type UpstreamUrls } from "@troupe/relay/model-proxy";
import { AtofExporter, createRelay, PrometheusExporter } from "@troupe/relay/node";
import { askedPlugins } from "./asked-plugins.ts";
import { GatewayMetrics } from "./metrics.ts";
import type { GatewayOptions } from "./options.ts";
import { readKeys } from "./provider-key.ts";
import { RelayComponents } from "./relay-components.ts";
import { GatewayServer } from "./server.ts";
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
}

/** A gateway that runs. */
export class Gateway implements AsyncDisposable {
  readonly url: string;
  /** Where model calls go. */
  readonly upstreams: UpstreamUrls;
  readonly plugins: ActivePlugins;
  readonly #options: GatewayOptions;
  readonly #components: RelayComponents;
  readonly #ending: AsyncDisposableStack;

  private constructor(
    at: { readonly url: string; readonly options: GatewayOptions },
    { plugins, components }: { readonly plugins: ActivePlugins; readonly components: RelayComponents },
    ending: AsyncDisposableStack,
  ) {
    this.url = at.url;
    this.upstreams = at.options.upstreams;
    this.#options = at.options;
    this.plugins = plugins;
    this.#components = components;
    this.#ending = ending;
  }

  /** Throws `plugin.*`, `relay.config_invalid`, `config.*`; nothing is left running then. */
  static async start(options: GatewayOptions, { env = {}, agent }: GatewayGround = {}): Promise<Gateway> {
    await using starting = new AsyncDisposableStack();
    const keys = await readKeys(options.keys, env);
    const relay = createRelay();
    agent?.listen(relay);
    if (options.atof !== undefined) {
      await prepareTraceFile(options.atof);
      const place = { outputDirectory: dirname(options.atof), filename: basename(options.atof) };
      const exporter = starting.use(new AtofExporter(place));
      exporter.register(relay, "atof");
    }
    const exporter = starting.use(new PrometheusExporter({ includeSecrets: true }));
    exporter.register(relay, "prometheus");
    const components = starting.use(await RelayComponents.start(relay, options.components));
    const plugins = starting.use(await activatePlugins({ ...(await askedPlugins(options)), relay }));
    const upstreams = starting.adopt(new Upstreams(options.upstreams, keys), (it) => it.close());
    const metrics = new GatewayMetrics();
    const route = { relay, upstreams, plugins, metrics, exporter, ...forAgent(agent) };
    const server = await GatewayServer.listen(route, options);
    starting.defer(() => server.close());
    const url = agent === undefined ? server.url : withToken(server.url, agent.token);
    return new Gateway({ url, options }, { plugins, components }, starting.move());
  }

  /**
   * Reads the lists, the policy and every plugin anew, and puts them in the place of those that run; `options` are those of
   * now, of which plugins and components count. Throws as a start does; what ran goes on then.
   */
  async reload(options: GatewayOptions = this.#options): Promise<void> {
    await this.#components.change(options.components, async () => {
      await this.plugins.reload(await askedPlugins(options));
    });
  }

  /** Ends it in order. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#ending.disposeAsync();
  }
}

function forAgent(agent: ForOneAgent | undefined) {
  return { token: agent?.token, session: agent?.session };
}
