/**
 * Gateway: between an agent and its model provider, with a relay and its plugins in the path.
 *
 * Up: plugins, then the trace, then the listener, so that no request comes before the last guardrail is there. Down, from
 * a signal or from a start that fails halfway: the listener, the plugins, the trace. Whatever was begun is ended.
 */
import { basename, dirname } from "node:path";
import { type ActivePlugins, activatePlugins } from "@troupe/plugins";
import { AtofExporter, createRelay } from "@troupe/relay/node";
import { askedPlugins } from "./asked-plugins.ts";
import type { GatewayOptions } from "./options.ts";
import { GatewayServer } from "./server.ts";
import { prepareTraceFile } from "./trace-file.ts";
import { Upstream } from "./upstream.ts";

/** A gateway that runs. */
export class Gateway implements AsyncDisposable {
  readonly url: string;
  /** Where model calls go. */
  readonly upstream: URL | undefined;
  readonly plugins: ActivePlugins;
  readonly #options: GatewayOptions;
  readonly #ending: AsyncDisposableStack;

  private constructor(
    at: { readonly url: string; readonly options: GatewayOptions },
    plugins: ActivePlugins,
    ending: AsyncDisposableStack,
  ) {
    this.url = at.url;
    this.upstream = at.options.upstream;
    this.#options = at.options;
    this.plugins = plugins;
    this.#ending = ending;
  }

  /** Throws `plugin.*`, `config.cannot_listen`, `config.cannot_write`; nothing is left running then. */
  static async start(options: GatewayOptions): Promise<Gateway> {
    await using starting = new AsyncDisposableStack();
    const relay = createRelay();
    if (options.atof !== undefined) {
      await prepareTraceFile(options.atof);
      const place = { outputDirectory: dirname(options.atof), filename: basename(options.atof) };
      const exporter = starting.use(new AtofExporter(place));
      exporter.register(relay, "atof");
    }
    const plugins = starting.use(await activatePlugins({ ...(await askedPlugins(options)), relay }));
    const upstream = options.upstream && starting.adopt(new Upstream(options.upstream), (it) => it.close());
    const server = await GatewayServer.listen({ relay, upstream, plugins }, options);
    starting.defer(() => server.close());
    return new Gateway({ url: server.url, options }, plugins, starting.move());
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
