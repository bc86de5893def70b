/**
 * Upstream: the model provider, over HTTP. Bytes go through as they are, both ways; there is no cap on time, and a client
 * that goes away takes its request with it.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { proxyErrors } from "./errors.ts";

/** A request to the provider. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, below the upstream's own path. */
  readonly path: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  /** Bytes, or where they come from. */
  readonly body: Uint8Array | Readable;
  readonly signal: AbortSignal;
}

/** One provider and the connections to it. */
export class Upstream {
  readonly url: URL;
  readonly #agent: HttpAgent;

  constructor(url: URL) {
    this.url = url;
    this.#agent =
      url.protocol === "https:" ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /** The answer, when its head is there. Throws `gateway.upstream_unreachable`. */
  async send({ method, path, headers, body, signal }: UpstreamRequest): Promise<IncomingMessage> {
    const { url } = this;
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const target = new URL(url.origin + url.pathname.replace(/\/$/, "") + path);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = send(target, {
      method,
      agent: this.#agent,
      signal,
      headers: [...headers, "Host", url.host],
    });
    sent.once("response", resolve);
    // Not once: an error behind the answer would end this process.
    sent.on("error", reject);
    if (body instanceof Readable) body.pipe(sent);
    else sent.end(body);
    try {
      return await promise;
    } catch (cause) {
      signal.throwIfAborted();
      throw proxyErrors.upstreamUnreachable(url.origin, cause);
    }
  }

  /** Ends idle connections. */
  close(): void {
    this.#agent.destroy();
  }
}
