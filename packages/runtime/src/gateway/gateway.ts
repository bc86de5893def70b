/**
 * Gateway: the door. It turns requests and sockets into calls on actors, and knows no kind of actor.
 *
 * It is neutral: a platform's adapter reads bytes and gives them to `http` and `socket`; `handler` does the same for
 * fetch's Request and Response. Nothing here waits but for the actor itself.
 */
import type { Env } from "@troupe/base";
import {
  closeCodes,
  decodeBody,
  type Encoding,
  encodeBody,
  IDEMPOTENCY_HEADER,
  limits,
  PROTOCOL_HEADER,
  PROTOCOL_VERSIONS,
  protocolErrors,
  type ResolveMethod,
  readCallHeaders,
  TIMEOUT_HEADER,
  TRACEPARENT_HEADER,
} from "@troupe/protocol";
import { actorErrors, connectionErrors, gatewayErrors, serverErrors } from "../errors.ts";
import type { ActorHost, Target } from "../host/actor-host.ts";
import type { ActorInstance } from "../ports/instance.ts";
import type { Namespaces } from "../ports/namespaces.ts";
import type { PluginSet } from "../ports/plugin-set.ts";
import type { Link } from "../ports/transport.ts";
import type { Access, AccessRequest } from "./access.ts";
import { accessRequest } from "./access-request.ts";
import { type AppFetch, answerApp } from "./app.ts";
import { BodyBudget } from "./body-budget.ts";
import { decodeCall } from "./call-body.ts";
import { CallFigures } from "./call-figures.ts";
import { HttpCall, type ReportInternal, termsNow } from "./calls.ts";
import {
  checkContentEncoding,
  encodingOf,
  errorResponse,
  type GatewayRequest,
  type GatewayResponse,
  okResponse,
  type Respond,
} from "./http-message.ts";
import { type InspectorDoor, type InspectorRoute, isInspectorPath } from "./inspector-door.ts";
import { loaded } from "./loaded.ts";
import { Metrics, type MetricsParts } from "./metrics.ts";
import { inputOf, paramsOf } from "./params.ts";
import { RawExchange, type StreamingReply, type StreamingRequest } from "./raw-exchange.ts";
import { RawSession } from "./raw-session.ts";
import { reporter } from "./report.ts";
import { rootPage } from "./root-page.ts";
import { type ActorRoute, HOST_PATH, parseRoute, type Route, type SocketRoute } from "./route.ts";
import type { GatewayServices, Session } from "./services.ts";
import { SocketSession } from "./session.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { decodeTimed } from "./stall.ts";
import { UnreadTotal } from "./unread.ts";

/** What a gateway is made of. */
export interface GatewayParts {
  readonly env: Env;
  readonly host: ActorHost;
  readonly access: Access;
  /** Whose names are in addresses. */
  readonly namespaces: Namespaces;
  /** Takes the links of remote hosts. */
  readonly hosts: { accept(link: Link): void };
  /** Answers what isn't the gateway's own; `gateway.not_found` without it. */
  readonly app?: AppFetch | undefined;
  /** Why calls to some actors, or all, fail for good: `group.code`. */
  readonly failure: () => string | undefined;
  /** The program's plugins, for its figures. */
  readonly plugins?: Pick<PluginSet, "view"> | undefined;
  /** How late the process's event loop is, where somebody looks. */
  readonly loopLag?: MetricsParts["loopLag"];
  /** What people look into actors with, where it is on. */
  readonly inspector?: InspectorDoor | undefined;
}

/** A door to a host's actors. */
export class Gateway {
  /** What the bodies take that adapters are reading. */
  readonly bodies = new BodyBudget(limits.gatewayBodyBytes);
  /** Also of calls that come by no door of its. */
  readonly calls: CallFigures;
  readonly #report: ReportInternal;
  readonly #parts: GatewayParts;
  readonly #services: GatewayServices;
  readonly #sessions = new Set<Session>();
  readonly #metrics: Metrics;
  readonly #silence: SilenceWatch;
  #ready = true;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#report = reporter(parts.env);
    this.calls = new CallFigures(parts.env.clock);
    this.#services = {
      env: parts.env,
      host: parts.host,
      report: this.#report,
      calls: this.calls,
      sessions: this.#sessions,
      unread: new UnreadTotal(this.#sessions),
      held: { bytes: 0 },
    };
    const { host, plugins, loopLag } = parts;
    const sockets = (): number => this.#sessions.size;
    this.#metrics = new Metrics({ host, plugins, loopLag, sockets, calls: this.calls });
    this.#silence = new SilenceWatch(parts.env, this.#sessions);
  }

  /** Throws what `Access.check` throws. For adapters: before a body is read, before an upgrade. */
  admit(request: AccessRequest): void {
    this.#parts.access.check(request);
  }

  /** An answer to a request that wasn't admitted, or couldn't be read; what it doesn't tell is in the log. */
  refusal(cause: unknown, encoding: Encoding): GatewayResponse {
    return errorResponse(cause, encoding, this.#report(cause, { request: "refused" }));
  }

  /** The CORS headers that an answer carries, a refusal too: none for a foreign page, or one of a rebound name. */
  corsHeaders(request: Pick<AccessRequest, "host" | "origin">): Readonly<Record<string, string>> | undefined {
    const { access } = this.#parts;
    const { host, origin } = request;
    if (origin === undefined || !access.hostAllowed(host) || !access.originAllowed(origin)) return undefined;
    return {
      "access-control-allow-origin": origin,
      vary: "Origin",
      "access-control-expose-headers": PROTOCOL_HEADER,
    };
  }

  /** Answers a request that was admitted and read. Never throws; `respond` is called once. */
  http(request: GatewayRequest, respond: Respond): void {
    let encoding: Encoding = "json";
    try {
      if (request.method === "OPTIONS") {
        respond({ status: 204, headers: preflightHeaders, body: "" });
        return;
      }
      if (this.#parts.inspector !== undefined && isInspectorPath(request.url)) {
        this.#inspect(this.#parts.inspector, request, respond);
        return;
      }
      const route = parseRoute(request.url);
      if (route.kind === "app") {
        this.#app(route.path, request, respond);
        return;
      }
      if (!("actor" in route)) {
        this.#management(route, request, respond);
        return;
      }
      encoding = encodingOf(request.header("content-type"));
      checkContentEncoding(request.header("content-encoding"));
      checkVersion(request.header(PROTOCOL_HEADER));
      this.#actorRequest(route, request, encoding, respond);
    } catch (cause) {
      respond(this.#failure(cause, request, encoding));
    }
  }

  /** Takes a request whose address is an actor's own, admitted and with its body unread. Never throws. */
  exchange(request: StreamingRequest, reply: StreamingReply): RawExchange {
    const exchange = new RawExchange({
      services: this.#services,
      request,
      reply,
      target: (actor) => this.target(actor, undefined),
      cors: this.corsHeaders({ host: request.header("host"), origin: request.header("origin") }),
      hidden: this.#parts.access.takesAuthorization && request.inside !== true ? "authorization" : undefined,
    });
    exchange.start();
    return exchange;
  }

  /** Takes a socket whose upgrade was admitted. `url` is checked by {@link socketRoute} before. */
  socket(link: Link, route: SocketRoute | InspectorRoute, request: (() => Request) | undefined): void {
    if (this.#sessions.size >= limits.gatewaySockets) {
      link.close(closeCodes.tryLater, "connection.too_many");
      return;
    }
    this.#sessions.add(this.#session(link, route, request));
    this.#silence.begun();
  }

  /** True for the address that remote hosts open their link at. */
  takesHost(url: string): boolean {
    return url === HOST_PATH;
  }

  /** Takes the link of somebody who wants to be a remote host, and says by which token. */
  host(link: Link): void {
    this.#parts.hosts.accept(link);
  }

  #session(link: Link, route: SocketRoute | InspectorRoute, request: (() => Request) | undefined): Session {
    const services = this.#services;
    if (route.kind === "inspector") {
      if (this.#parts.inspector === undefined) throw gatewayErrors.notFound("/inspector");
      return this.#parts.inspector.session(link, route, services);
    }
    const target = (input: unknown): Target => this.target(route.actor, input);
    return route.kind === "connect"
      ? new SocketSession({ services, link, target, request })
      : new RawSession({ services, link, target: () => target(undefined), request, url: route.url });
  }

  /** What a socket's address names; a page that an actor serves opens its sockets beside itself. Throws `gateway.*`, `key.*`. */
  socketRoute(url: string): SocketRoute {
    const route = parseRoute(url);
    if (route.kind === "websocket" || route.kind === "request") return { ...route, kind: "websocket" };
    if (route.kind !== "connect") throw gatewayErrors.notFound(url.split("?")[0] ?? "");
    return { kind: route.kind, actor: route.actor };
  }

  /** What the socket of an admitted upgrade is for. Throws `gateway.*`, `key.*`. */
  upgradeRoute(url: string, request: AccessRequest): SocketRoute | InspectorRoute {
    const { inspector } = this.#parts;
    if (inspector === undefined || !isInspectorPath(url)) return this.socketRoute(url);
    return inspector.socketRoute(url, request);
  }

  /** Names end here: from there on a namespace is its id. Throws `namespace.not_found`. */
  target(actor: ActorRoute, input: unknown): Target {
    const namespace = this.#parts.namespaces.idOf(actor.namespace);
    if (actor.kind === "id") return { kind: "id", id: actor.id, namespace };
    const address = { namespace, name: actor.name, key: actor.key };
    return { kind: "address", address, method: actor.method, input: inputOf(input) };
  }

  /** True when the host stops: whoever keeps a connection for later requests should make them elsewhere. */
  get draining(): boolean {
    return !this.#ready;
  }

  /** /readyz says no from now on. */
  unready(): void {
    this.#ready = false;
  }

  /** Closes every socket that is still there. */
  close(): void {
    this.#silence.close();
    for (const session of [...this.#sessions])
      session.endWith(connectionErrors.actorStopped(), closeCodes.restart);
  }

  #actorRequest(
    route: Route & { actor: ActorRoute },
    request: GatewayRequest,
    encoding: Encoding,
    respond: Respond,
  ): void {
    if (route.kind === "connect" || route.kind === "websocket")
      // A client asks so why its socket didn't open: because of the stop, not of how it came.
      throw this.draining ? actorErrors.stopping() : serverErrors.upgradeRequired();
    if (route.kind === "request") throw gatewayErrors.notFound(request.url);
    if (route.kind === "reload") return this.#reload(route.actor, request, encoding, respond);
    if (request.method !== "POST") throw gatewayErrors.methodNotAllowed(request.method);
    if (route.kind === "action" || route.kind === "queue") {
      this.#action(route, request, encoding, respond);
      return;
    }
    const body = decodeBody("resolve", request.body, encoding);
    this.#resolve(this.target(route.actor, body.input)).then(
      (actorId) => respond(okResponse(encodeBody({ actorId }, encoding), encoding)),
      (cause: unknown) => respond(this.#failure(cause, request, encoding)),
    );
  }

  /** A call of an action, or a message for a queue. */
  #action(
    route: Route & { kind: "action" | "queue" },
    request: GatewayRequest,
    encoding: Encoding,
    respond: Respond,
  ): void {
    const { length } = request.body;
    const name = route.kind === "action" ? route.action : route.queue;
    const { args, params, input, send, ticket } = decodeTimed(
      this.#parts.env,
      length,
      () => decodeCall(route.kind, request.body, encoding),
      () => ({ what: "body", length, actor: nameOf(route.actor), [route.kind]: name }),
    );
    if (route.kind === "action") this.#metrics.action();
    const target = this.target(route.actor, input);
    const terms = route.kind === "action" ? readCallHeaders(request) : undefined;
    const call = new HttpCall({
      target,
      name,
      args,
      params: paramsOf(params),
      request: () => request.toRequest(),
      terms: terms && { ...termsNow(terms, this.#parts.env.clock), ticket },
      client: request,
      encoding,
      respond,
      report: this.#services.report,
      figures: this.#services.calls,
      send,
    });
    const { host } = this.#parts;
    const instance = host.load(target);
    if (instance instanceof Promise) {
      loaded(host, target, instance).then(
        (found) => call.start(found),
        (cause: unknown) => call.error(cause).release(),
      );
    } else {
      call.start(instance);
    }
  }

  /** As whoever runs the gateway: with its token. */
  #reload(actor: ActorRoute, request: GatewayRequest, encoding: Encoding, respond: Respond): void {
    if (request.method !== "PUT") throw gatewayErrors.methodNotAllowed(request.method);
    this.#parts.access.checkToken(accessRequest(request));
    this.#parts.host.reload(this.target(actor, undefined)).then(
      () => respond(okResponse(encodeBody({}, encoding), encoding)),
      (cause: unknown) => respond(this.#failure(cause, request, encoding)),
    );
  }

  /** The actor's id, once its creation is durable. */
  async #resolve(target: Target): Promise<string> {
    const instance: ActorInstance = await this.#parts.host.load(target);
    await instance.settled();
    return instance.record.id;
  }

  #app(path: string, request: GatewayRequest, respond: Respond): void {
    const { app } = this.#parts;
    if (app === undefined) {
      const page = rootPage(request, path, this.#parts.inspector?.page);
      if (page === undefined) throw gatewayErrors.notFound(path);
      respond(page);
      return;
    }
    answerApp(app, request).then(respond, (cause: unknown) => respond(this.#failure(cause, request, "json")));
  }

  #inspect(inspector: InspectorDoor, request: GatewayRequest, respond: Respond): void {
    inspector
      .answer(request, () => this.#metrics.text())
      .then(respond, (cause: unknown) => respond(this.#failure(cause, request, "json")));
  }

  #management(route: Route, request: GatewayRequest, respond: Respond): void {
    const text = { "content-type": "text/plain; charset=utf-8" };
    switch (route.kind) {
      case "livez":
        respond({ status: 200, headers: text, body: "ok\n" });
        return;
      case "readyz":
        respond(this.#readiness(text));
        return;
      case "metrics":
        this.#parts.access.checkToken(accessRequest(request));
        respond({ status: 200, headers: text, body: this.#metrics.text() });
        return;
      default:
        throw gatewayErrors.notFound(request.url);
    }
  }

  #readiness(headers: Readonly<Record<string, string>>): GatewayResponse {
    const reason = this.#ready ? this.#parts.failure() : "stopping";
    if (reason === undefined) return { status: 200, headers, body: "ok\n" };
    return { status: 503, headers, body: `${reason}\n` };
  }

  #failure(cause: unknown, request: GatewayRequest, encoding: Encoding): GatewayResponse {
    return errorResponse(cause, encoding, this.#report(cause, { url: request.url }));
  }
}

/** What a preflight is told; the origin's own header is the adapter's. */
const preflightHeaders: Readonly<Record<string, string>> = {
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": `content-type, authorization, ${PROTOCOL_HEADER}, ${TIMEOUT_HEADER}, ${IDEMPOTENCY_HEADER}, ${TRACEPARENT_HEADER}`,
  "access-control-max-age": "600",
};

/** An actor as the log names it. */
function nameOf(actor: ActorRoute): string {
  return actor.kind === "id" ? actor.id : actor.name;
}

function checkVersion(header: string | undefined): void {
  if (header === undefined || PROTOCOL_VERSIONS.includes(Number(header))) return;
  throw protocolErrors.versionUnsupported(PROTOCOL_VERSIONS);
}

/** The methods of an address, for callers inside. */
export type { ResolveMethod };
