/**
 * Gateway: between an agent and its model provider, with a relay and its plugins in the path.
 *
 * Up: plugins, then the trace, then the listener, so that no request comes before the last guardrail is there. Down, from
 * a signal or from a start that fails halfway: the listener, the plugins, the trace. Whatever was begun is ended.
 */
import { basename, dirname } from "node:path";
import { type ActivePlugins, activatePlugins } from "@troupe/plugins";
import type { Relay } from "@troupe/relay";
import { AtofExporter, createRelay } from "@troupe/relay/node";
import { askedPlugins } from "./asked-plugins.ts";
import type { GatewayOptions } from "./options.ts";
import { GatewayServer } from "./server.ts";
import { withToken } from "./token.ts";
import { prepareTraceFile } from "./trace-file.ts";
import { Upstreams, type UpstreamUrls } from "./upstreams.ts";

/** For a gateway that serves one agent alone. */
export interface ForOneAgent {
  /** See `token.ts`. */
  readonly token: string;
  readonly session: string;
  /** Called before anything is activated: who listens from the start. */
  readonly listen: (relay: Relay) => void;
}

/** A gateway that runs. */
export class Gateway implements AsyncDisposable {
  readonly url: string;
  /** Where model calls go. */
  readonly upstreams: UpstreamUrls;
  readonly plugins: ActivePlugins;
  readonly #options: GatewayOptions;
  readonly #ending: AsyncDisposableStack;

  private constructor(
    at: { readonly url: string; readonly options: GatewayOptions },
    plugins: ActivePlugins,
    ending: AsyncDisposableStack,
  ) {
    this.url = at.url;
    this.upstreams = at.options.upstreams;
    this.#options = at.options;
    this.plugins = plugins;
    this.#ending = ending;
  }

  /** Throws `plugin.*`, `config.cannot_listen`, `config.cannot_write`; nothing is left running then. */
  static async start(options: GatewayOptions, agent?: ForOneAgent): Promise<Gateway> {
    await using starting = new AsyncDisposableStack();
    const relay = createRelay();
    agent?.listen(relay);
    if (options.atof !== undefined) {
      await prepareTraceFile(options.atof);
      const place = { outputDirectory: dirname(options.atof), filename: basename(options.atof) };
      const exporter = starting.use(new AtofExporter(place));
      exporter.register(relay, "atof");
    }
    const plugins = starting.use(await activatePlugins({ ...(await askedPlugins(options)), relay }));
    const upstreams = starting.adopt(new Upstreams(options.upstreams), (it) => it.close());
    const route = { relay, upstreams, plugins, token: agent?.token, session: agent?.session };
    const server = await GatewayServer.listen(route, options);
    starting.defer(() => server.close());
    const url = agent === undefined ? server.url : withToken(server.url, agent.token);
    return new Gateway({ url, options }, plugins, starting.move());
  }

  /**
   * Reads the lists, the policy and every plugin anew, and puts them in the place of those that run. Throws as a start
   * does; what ran goes on then.
   */
  async reload(): Promise<void> {
    await this.plugins.reload(await askedPlugins(this.#options));
  }

  /** Ends it in order. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#ending.disposeAsync();
  }
}
