/**
 * Egress: the one way out of a sandbox, or of an isolate, on the runtime's side of it.
 *
 *   request ──▶ allow list ──▶ address, once ──▶ credentials ──▶ one connection ──▶ no secrets ──▶ answer
 *                  ▲                                                  │
 *                  └────────────────── redirect ──────────────────────┘
 *
 * Each redirect takes the whole way again, and past the origin it goes without what says who asks. Who asks has no
 * connection of its own: what isn't let out here isn't sent.
 */
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { type Address, addressOf, type Resolver, systemResolver } from "./addresses.ts";
import { Credentials } from "./credentials.ts";
import { networkErrors } from "./errors.ts";
import { type HopAnswer, makeHop } from "./hop.ts";
import { type NetworkConfig, NetworkPolicy } from "./network-policy.ts";
import type { NetworkRequest, NetworkResponse } from "./network-request.ts";

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What belongs to a connection, or is ours to say. */
const ownHeaders =
  /^(?:host|connection|content-length|transfer-encoding|accept-encoding|expect|upgrade|te|trailer|proxy-.*|keep-alive)$/i;
const personalHeaders = /^(?:authorization|cookie)$/i;

interface Step {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly responseBytes: number;
}

/** The way out of one sandbox, or of one isolate. */
export class Egress {
  readonly #policy: NetworkPolicy;
  readonly #credentials: Credentials;
  readonly #resolve: Resolver;

  constructor(config: NetworkConfig, resolve: Resolver = systemResolver) {
    this.#policy = new NetworkPolicy(config);
    this.#credentials = new Credentials(config.credentials ?? {});
    this.#resolve = resolve;
  }

  get variables(): Readonly<Record<string, string>> {
    return this.#credentials.variables;
  }

  get localOrigins(): readonly string[] {
    return this.#policy.localOrigins;
  }

  async fetch(request: NetworkRequest, signal: AbortSignal): Promise<NetworkResponse> {
    const timeoutMs = Math.min(request.timeoutMs ?? limits.networkRequestMs, limits.networkRequestMs);
    const late = AbortSignal.timeout(timeoutMs);
    try {
      return await this.#follow(request, AbortSignal.any([signal, late]));
    } catch (cause) {
      if (TroupeError.is(cause) || !late.aborted) throw cause;
      throw networkErrors.timedOut(timeoutMs);
    }
  }

  isHttp(host: string, port: number): boolean {
    const url = URL.parse(`http://${host}:${port}/`);
    return url !== null && this.#policy.knows(url);
  }

  /**
   * A tunnel: allowed where a whole https origin is, since nobody sees which path or method is asked for in it. A credential's
   * placeholder stays what it is in there.
   */
  async connect(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const url = URL.parse(`https://${host}:${port}/`);
    if (url === null) throw networkErrors.denied(`${host}:${port}`, "it is no host");
    const { private: mayBePrivate } = this.#policy.checkTunnel(url);
    const address = await addressOf(url.hostname, this.#resolve, mayBePrivate);
    return await connected({ ...address, port }, url.origin, signal);
  }

  async #follow(request: NetworkRequest, signal: AbortSignal): Promise<NetworkResponse> {
    let step = firstStep(request);
    for (let hops = 0; ; hops += 1) {
      const answer = await this.#go(step, signal);
      const { location } = answer.headers;
      if (!request.followRedirects || location === undefined || !redirects.has(answer.status))
        return this.#clean(step.url, answer);
      if (hops === limits.networkRedirects) throw networkErrors.tooManyRedirects(limits.networkRedirects);
      step = this.#redirected(step, answer.status, location);
    }
  }

  async #go({ url, method, headers, body, responseBytes }: Step, signal: AbortSignal): Promise<HopAnswer> {
    const { private: mayBePrivate } = this.#policy.check(url, method);
    const injected = this.#credentials.inject(headers, url);
    const address = await addressOf(url.hostname, this.#resolve, mayBePrivate);
    signal.throwIfAborted();
    const sent = { ...injected, "accept-encoding": "identity" };
    const answer = await makeHop({ url, method, headers: sent, body, address, signal, responseBytes });
    const encoding = answer.headers["content-encoding"] ?? "identity";
    // It can't be searched for secrets.
    if (encoding !== "identity") throw networkErrors.denied(url.origin, `it answered in ${encoding}`);
    return answer;
  }

  #redirected(step: Step, status: number, location: string): Step {
    const url = URL.parse(location, step.url);
    if (url === null) throw networkErrors.denied(this.#credentials.redact(location), "it is no URL");
    const rewritten = status === 303 || ((status === 301 || status === 302) && step.method === "POST");
    const headers = Object.entries(step.headers).filter(
      ([name, value]) =>
        url.origin === step.url.origin || !(personalHeaders.test(name) || this.#credentials.isIn(value)),
    );
    return {
      url,
      method: rewritten ? "GET" : step.method,
      headers: Object.fromEntries(headers),
      body: rewritten ? undefined : step.body,
      responseBytes: step.responseBytes,
    };
  }

  #clean(url: URL, { status, statusText, headers, body }: HopAnswer): NetworkResponse {
    const redact = (text: string) => this.#credentials.redact(text);
    return {
      url: redact(url.href),
      status,
      statusText: redact(statusText),
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redact(value)])),
      body: Uint8Array.from(this.#credentials.redactBytes(body)),
    };
  }
}

function connected(
  { address, family, port }: Address & { readonly port: number },
  origin: string,
  signal: AbortSignal,
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const late = AbortSignal.timeout(limits.networkRequestMs);
    const socket = connect({ host: address, family, port });
    const givenUp = () => socket.destroy(networkErrors.timedOut(limits.networkRequestMs));
    late.addEventListener("abort", givenUp, { once: true });
    signal.addEventListener("abort", () => socket.destroy(), { once: true });
    if (signal.aborted) socket.destroy();
    socket.on("error", (cause) => reject(networkErrors.failed(origin, cause)));
    socket.on("close", () => reject(networkErrors.closed()));
    socket.on("connect", () => {
      late.removeEventListener("abort", givenUp);
      resolve(socket);
    });
  });
}

function firstStep({ url: text, method, headers, body, responseBytes }: NetworkRequest): Step {
  const url = URL.parse(text);
  if (url === null) throw networkErrors.denied(text, "it is no URL");
  const kept = Object.entries(headers).filter(([name]) => !ownHeaders.test(name));
  return {
    url,
    method: method.toUpperCase(),
    headers: Object.fromEntries(kept),
    body,
    responseBytes: responseBytes ?? limits.networkResponseBytes,
  };
}
