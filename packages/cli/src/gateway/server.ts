/**
 * Server: the gateway's listener and its routes.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TroupeError } from "@troupe/base";
import type { ActivePlugins } from "@troupe/plugins/activation";
import type { Relay } from "@troupe/relay";
import {
  type ModelRoute,
  mayAsk,
  OVERHEAD,
  Overhead,
  onlyReads,
  type Provider,
  passThrough,
  pathOf,
  providerOf,
  readable,
  sendJson,
} from "@troupe/relay/model-proxy";
import type { PrometheusExporter } from "@troupe/relay/node";
import { optionErrors, requestErrors } from "../errors.ts";
import { HOOK_HEADER } from "../hook/hook-header.ts";
import { checkAccess } from "./access.ts";
import { answerHook, hookedAgent } from "./agent-hooks.ts";
import { Connections } from "./connections.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import type { GatewayMetrics, RouteName } from "./metrics.ts";
import { answerModel } from "./model-request.ts";
import type { GatewayOptions } from "./options.ts";
import { takeToken } from "./token.ts";
import { decideTool } from "./tool-hook.ts";

/** What a listener serves. */
export interface ServerRoute extends ModelRoute {
  readonly relay: Relay;
  readonly metrics: GatewayMetrics;
  readonly plugins: Pick<ActivePlugins, "status" | "skipped">;
  /** Fires when the gateway is asked to end: whatever is asked from then on isn't served, by any listener. */
  readonly ending: AbortSignal;
  /** Of now: a reload may change them. */
  readonly rules: Pick<GatewayOptions, "unknownPaths">;
  /** What each path begins with, as `/t/<token>`; undefined: nobody needs one. */
  readonly token: string | undefined;
  /** Of calls, tokens and costs. */
  readonly exporter: Pick<PrometheusExporter, "text">;
}

/** What probes are told with status 200: a gateway that lacks an optional plugin serves. */
const fine: ReadonlySet<string> = new Set(["ok", "ready", "degraded"]);

/** Requests that run when the gateway stops may take this long. */
const DRAIN_MS = 10_000;

/** Says with its header what is spoken here. */
const UPGRADE_REQUIRED = 426;

/** A listener that is open. */
export class GatewayServer {
  readonly #route: ServerRoute;
  readonly #server: Server;
  readonly #connections: Connections;
  #url = "";
  /** Requests that are served, to the last word of their trace. */
  #serving = 0;
  /** Told when none is any more; undefined: nobody waits for that. */
  #idle: (() => void) | undefined = undefined;
  /** There when it takes no more: settles when all that ran has ended. */
  #left: Promise<void> | undefined = undefined;

  private constructor(route: ServerRoute) {
    this.#route = route;
    // A body may take as long as it likes, as the answer may.
    this.#server = createServer({ requestTimeout: 0 }, (request, response) => {
      this.#connections.asked(request.socket, response);
      void this.#serve(request, response);
    });
    this.#connections = new Connections(this.#server);
  }

  /** Listens. Throws `config.cannot_listen`. */
  static async listen(route: ServerRoute, address: { host: string; port: number }): Promise<GatewayServer> {
    const gateway = new GatewayServer(route);
    const { host, port } = address;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    gateway.#server.once("error", (cause) => reject(optionErrors.cannotListen(`${host}:${port}`, cause)));
    gateway.#server.listen({ host, port }, resolve);
    await promise;
    gateway.#opened();
    return gateway;
  }

  #opened(): void {
    this.#url = urlOf(this.#server.address() as AddressInfo);
  }

  /** Where it listens, or did before it was closed: `http://127.0.0.1:4040`. */
  get url(): string {
    return this.#url;
  }

  /** Takes no more. Settles when all that runs has ended, however long it takes. */
  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  /**
   * Takes no more and closes. Requests that run may take ten seconds to end; `now`: nobody needs their answers, and what is told of
   * them is all that is waited for.
   */
  async close({ now = false }: { readonly now?: boolean } = {}): Promise<void> {
    const left = this.leave();
    if (now) this.#server.closeAllConnections();
    const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#server.closeAllConnections();
      giveUp();
    }, DRAIN_MS);
    await Promise.race([left, late]);
    clearTimeout(timer);
  }

  async #leave(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connections.close();
    await closed;
    // A client has its answer before its call's end is told.
    if (this.#serving > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let provider: Provider | undefined;
    let path = "";
    const { metrics } = this.#route;
    const overhead = new Overhead();
    this.#serving += 1;
    metrics.began();
    try {
      const isLetIn = takeToken(this.#route.token, request);
      path = pathOf(request.url ?? "/");
      provider = onlyReads(request) ? undefined : providerOf(path);
      if (!isLetIn) throw requestErrors.tokenRequired();
      if (provider === undefined) await this.#dispatch(path, overhead, request, response);
      else await this.#callModel(provider, overhead, request, response);
    } catch (error) {
      if (!response.headersSent) response.setHeader(OVERHEAD, overhead.ms().toFixed(2));
      this.#refuse(readable(error), provider, response);
    }
    metrics.ended(routeNameOf(path, provider), response.statusCode);
    this.#serving -= 1;
    if (this.#serving === 0) this.#idle?.();
  }

  #callModel(
    provider: Provider,
    overhead: Overhead,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    checkAccess(request);
    if (this.#route.ending.aborted) throw requestErrors.stopping();
    if (request.method !== "POST") throw requestErrors.methodNotAllowed(request.method ?? "");
    return answerModel(this.#route, { provider, overhead, request, response });
  }

  #dispatch(
    path: string,
    overhead: Overhead,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> | undefined {
    if (path === "/livez" || path === "/readyz") return this.#probe(path, request, response);
    checkAccess(request);
    if (path === "/plugins") return this.#diagnose(request, response);
    if (path === "/metrics") return this.#measure(request, response);
    if (path.startsWith("/hooks/")) return this.#hear(path, overhead, request, response);
    return this.#passThrough(path, request, response);
  }

  #passThrough(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { ending, rules } = this.#route;
    if (ending.aborted) throw requestErrors.stopping();
    if (asksForWebSocket(request)) throw requestErrors.noWebSocket();
    if (rules.unknownPaths === "refuse" && mayAsk(path, request)) throw requestErrors.unknownPath(path);
    return passThrough(this.#route, path, request, response);
  }

  /** A gateway that ends is asked too: hooks say no themselves, in words that each agent understands. */
  async #hear(
    path: string,
    overhead: Overhead,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method !== "POST") throw requestErrors.methodNotAllowed(request.method ?? "");
    const agent = hookedAgent(path);
    if (agent === undefined && path !== "/hooks/tool") throw requestErrors.notFound(path);
    const deciding =
      agent === undefined ? decideTool(this.#route, request) : answerHook(this.#route, agent, request);
    const answer = await deciding;
    response.setHeader(OVERHEAD, overhead.ms().toFixed(2));
    response.setHeader(HOOK_HEADER, "heard");
    sendJson(response, 200, answer);
  }

  /** For whoever watches the process, by whatever name it knows the machine: they say nothing but their one word. */
  #probe(path: string, { method }: IncomingMessage, response: ServerResponse): undefined {
    if (method !== "GET" && method !== "HEAD") throw requestErrors.methodNotAllowed(method ?? "");
    const status = path === "/livez" ? "ok" : this.#readiness();
    sendJson(response, fine.has(status) ? 200 : 503, { status });
  }

  /** How each plugin is: for people of this machine. */
  #diagnose({ method }: IncomingMessage, response: ServerResponse): undefined {
    if (method !== "GET" && method !== "HEAD") throw requestErrors.methodNotAllowed(method ?? "");
    sendJson(response, 200, diagnosticsOf(this.#route.plugins));
  }

  /** For whoever scrapes on this machine: names of tools and models are among the labels. */
  #measure({ method }: IncomingMessage, response: ServerResponse): undefined {
    if (method !== "GET" && method !== "HEAD") throw requestErrors.methodNotAllowed(method ?? "");
    const { metrics, exporter } = this.#route;
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    response.end(metrics.text() + exporter.text());
  }

  #readiness(): string {
    if (this.#route.ending.aborted) return "stopping";
    const lost = this.#route.plugins.status.filter(({ state }) => state !== "active");
    if (lost.some(({ startup }) => startup === "required")) return "plugin_lost";
    return lost.length > 0 || this.#route.plugins.skipped.length > 0 ? "degraded" : "ready";
  }

  #refuse(error: TroupeError, provider: Provider | undefined, response: ServerResponse): void {
    const { group, code, message, statusCode } = error;
    // A body that wasn't read to its end can't be followed by another request.
    if (!response.headersSent) response.setHeader("connection", "close");
    if (!response.headersSent && statusCode === UPGRADE_REQUIRED) response.setHeader("upgrade", "HTTP/1.1");
    const body = provider?.errorBody(error) ?? { error: { group, code, message } };
    sendJson(response, statusCode, body);
  }
}

/** Nothing of one could be seen. Codex asks for it first, and goes on over HTTP where it is told that at once. */
function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

/** For labels: the gateway's own routes are known by their first word. */
function routeNameOf(path: string, provider: Provider | undefined): RouteName {
  if (provider !== undefined) return "model";
  if (path.startsWith("/hooks/")) return "hook";
  return /^\/(?:livez|readyz|plugins|metrics)$/.test(path) ? "own" : "pass_through";
}
