/**
 * Upstream: the model provider, over HTTP/1.1. Bytes go through as they are, both ways, and there is no cap on time: what a model
 * thinks about may take as long as it likes.
 *
 * Over undici's dispatcher, which calls back with the bytes that a connection has read: a client of `node:http` makes a stream, an event
 * and a copy of the headers of each, and takes as long for that as all the rest of the gateway does.
 */
import type { Readable } from "node:stream";
import { type Dispatcher, Pool, ProxyAgent } from "undici";
import type { NamedProxy } from "./proxy.ts";

/** A request to the provider. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, below the upstream's own path. */
  readonly path: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  /** Bytes, or where they come from; null: it has none. */
  readonly body: Uint8Array | Readable | null;
}

/** A connection that nobody uses is kept so long, where the provider doesn't say how long it keeps it. */
const IDLE_MS = 60_000;

const options: Pool.Options = {
  // Over HTTP/2 headers would come back in another spelling.
  allowH2: false,
  headersTimeout: 0,
  bodyTimeout: 0,
  connectTimeout: 0,
  keepAliveTimeout: IDLE_MS,
};

/** One provider and the connections to it. */
export class Upstream {
  readonly url: URL;
  /** For people: its origin, and the proxy on the way, without the password that may be in its address. */
  readonly name: string;
  /** Stands on the way to it. */
  readonly proxy: NamedProxy | undefined;
  readonly #pool: Dispatcher;
  readonly #prefix: string;

  constructor(url: URL, proxy?: NamedProxy) {
    this.url = url;
    this.#prefix = url.pathname.replace(/\/$/, "");
    this.proxy = proxy;
    this.name = proxy === undefined ? url.origin : `${url.origin}, through the proxy ${proxy.url.origin},`;
    this.#pool =
      proxy === undefined
        ? new Pool(url.origin, options)
        : new ProxyAgent({ ...options, uri: proxy.url.href, requestTls: { allowH2: false } });
  }

  /** Tells `handler` of the answer, or of what came in its place: never throws. */
  dispatch({ method, path, headers, body }: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
    const all = [...headers, "Host", this.url.host];
    const { origin } = this.url;
    this.#pool.dispatch(
      {
        origin,
        method,
        path: this.#prefix + path,
        // Of a list the proxy's agent would keep the last of each name.
        headers: this.proxy !== undefined ? pairsOf(all) : all,
        body,
      },
      handler,
    );
  }

  /** Takes no more, and ends connections when nothing goes on in them. */
  async drain(): Promise<void> {
    await this.#pool.close();
  }

  /** Ends all connections, also those that are used: who still waits for an answer gets an error. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

function* pairsOf(list: readonly string[]): Generator<[string, string]> {
  for (let at = 0; at < list.length; at += 2) yield [list[at] ?? "", list[at + 1] ?? ""];
}
