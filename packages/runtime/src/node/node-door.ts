/**
 * The gateway behind requests and upgrades of node:http, whoever's server they come to: the same checks and limits at ours
 * (`listen`) and at a program's own (`NodeRegistry`).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { limits, SUBPROTOCOL } from "@troupe/protocol";
import { type WebSocket, WebSocketServer } from "ws";
import { serverErrors } from "../errors.ts";
import type { AccessRequest } from "../gateway/access.ts";
import { isProbe } from "../gateway/access-request.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { GatewayResponse } from "../gateway/http-message.ts";
import { type InspectorRoute, isInspectorPath } from "../gateway/inspector-door.ts";
import { isRequestPath, type SocketRoute } from "../gateway/route.ts";
import { agreed } from "../gateway/subprotocols.ts";
import type { Door } from "../registry/platform.ts";
import { answerBadHandshakes, type Refuse, writeRefusal } from "./bad-requests.ts";
import { BodyReader } from "./body-reader.ts";
import { HelloGuard } from "./hello-guard.ts";
import { exchange } from "./http-exchange.ts";
import { LateBodies } from "./late-bodies.ts";
import { MessageGuard } from "./message-guard.ts";
import { NodeRequest, toRequest } from "./node-request.ts";
import { sendStream } from "./send-stream.ts";
import { WsLink } from "./ws-link.ts";

/** How long a door waits for what. Milliseconds; each is a limit. */
export interface DoorTimes {
  readonly requestMs: number;
  /** Between two looks at which requests are late. */
  readonly lookMs: number;
  readonly closeMs: number;
}

const defaultTimes: DoorTimes = {
  requestMs: limits.requestTimeoutMs,
  lookMs: limits.requestLookMs,
  closeMs: limits.closeTimeoutMs,
};

/** One for each kind of socket: they agree on subprotocols in different ways. */
type Sockets = Readonly<Record<(SocketRoute | InspectorRoute)["kind"] | "engine", WebSocketServer>>;

/** A way to a gateway for requests and sockets that a server of node:http has taken. */
export class NodeDoor implements Door {
  readonly #gateway: Gateway;
  readonly #closeMs: number;
  readonly #late: LateBodies;
  readonly #sockets: Sockets;

  constructor(gateway: Gateway, { requestMs, lookMs, closeMs }: DoorTimes = defaultTimes) {
    this.#gateway = gateway;
    this.#closeMs = closeMs;
    this.#late = new LateBodies(requestMs, lookMs);
    this.#sockets = socketsOf((error) => gateway.refusal(error, "json"));
  }

  /** Answers a request, whatever its address. */
  request(request: IncomingMessage, response: ServerResponse): void {
    const gateway = this.#gateway;
    const access = accessOf(request);
    const cors = gateway.corsHeaders(access);
    const respond = (answer: GatewayResponse): void => {
      if (gateway.draining) response.shouldKeepAlive = false;
      sendAnswer(response, answer, cors);
    };
    /** Answers without reading the rest of the request; the connection can't be used again then. */
    const refuse = (cause: unknown): void => {
      if (!request.complete) response.shouldKeepAlive = false;
      respond(gateway.refusal(cause, "json"));
      request.resume();
    };
    try {
      gateway.admit(access);
      checkUnread(request);
    } catch (cause) {
      refuse(cause);
      return;
    }
    if (isRequestPath(request.url ?? "/")) {
      exchange(gateway, request, response);
      return;
    }
    new BodyReader(request, gateway.bodies, {
      late: this.#late,
      done: (body) => gateway.http(new NodeRequest(request, response, body), respond),
      failed: refuse,
    });
  }

  /** Takes a WebSocket, or refuses it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const route = admitUpgrade(this.#gateway, request, socket);
    if (route === undefined) return;
    const kind = route === "engine" ? route : route.kind;
    this.#sockets[kind].handleUpgrade(request, socket, head, (ws) =>
      this.#take(ws, { socket, route, request }),
    );
  }

  /** No new sockets; settles when those that it has taken are closed. Requests are their server's. */
  async close(): Promise<void> {
    const all = Object.values(this.#sockets);
    await Promise.all(all.map((sockets) => new Promise((resolve) => sockets.close(resolve))));
    this.#late.close();
  }

  end(): void {
    for (const { clients } of Object.values(this.#sockets)) for (const socket of clients) socket.terminate();
  }

  #take(
    ws: WebSocket,
    {
      socket,
      route,
      request,
    }: { socket: Duplex; route: SocketRoute | InspectorRoute | "engine"; request: IncomingMessage },
  ): void {
    const gateway = this.#gateway;
    // A raw socket says no hello: its actor hears its first message.
    const raw = route !== "engine" && route.kind === "websocket";
    const guard = raw ? new MessageGuard(ws, socket) : undefined;
    if (guard === undefined) new HelloGuard(ws, socket, gateway.bodies);
    const link = new WsLink(ws, { socket, closeTimeoutMs: this.#closeMs, guard });
    if (route === "engine") gateway.host(link);
    else gateway.socket(link, route, () => toRequest(request));
  }
}

function socketsOf(refuse: Refuse): Sockets {
  const ours = (offered: ReadonlySet<string>): string | false =>
    offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false;
  const theirs = (offered: ReadonlySet<string>): string | false => agreed([...offered].join(",")) || false;
  return {
    connect: webSocketServer(limits.incomingMessageBytes, ours, refuse),
    websocket: webSocketServer(limits.incomingMessageBytes, theirs, refuse),
    // Nothing is said to it: it only tells.
    inspector: webSocketServer(limits.helloBytes, ours, refuse),
    // A remote host's message may be a whole batch.
    engine: webSocketServer(limits.pluginFrameBytes, () => false, refuse),
  };
}

function webSocketServer(
  maxPayload: number,
  handleProtocols: (offered: Set<string>) => string | false,
  refuse: Refuse,
): WebSocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload,
    perMessageDeflate: false,
    handleProtocols,
  });
  answerBadHandshakes(sockets, refuse);
  return sockets;
}

/** Somebody before us has read the body: its end would never come. Throws `gateway.bad_request`. */
function checkUnread(request: IncomingMessage): void {
  if (request.readableDidRead)
    throw serverErrors.badRequest(
      "The request's body was read already: registry.nodeHandler comes before what reads bodies (express.json())",
    );
}

function accessOf(request: IncomingMessage): AccessRequest {
  const { origin, authorization } = request.headers;
  return {
    host: hostOf(request),
    origin,
    authorization,
    subprotocols: request.headers["sec-websocket-protocol"],
    preflight: request.method === "OPTIONS",
    inspector: isInspectorPath(request.url ?? ""),
    probe: isProbe(request.url ?? ""),
  };
}

/** The Host header; nothing when there are two: Node takes the first, and what stands before us may take the other. */
function hostOf({ headers, rawHeaders }: IncomingMessage): string | undefined {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === "host") count += 1;
  }
  return count === 1 ? headers.host : undefined;
}

function sendAnswer(
  response: ServerResponse,
  answer: GatewayResponse,
  extra: Readonly<Record<string, string>> | undefined,
): void {
  if (response.destroyed) {
    answer.stream?.cancel();
    return;
  }
  if (answer.cookies !== undefined) response.setHeader("set-cookie", answer.cookies);
  const { body, headers } = answer;
  response.statusCode = answer.status;
  for (const name in headers) response.setHeader(name, headers[name] ?? "");
  if (extra !== undefined) for (const name in extra) response.setHeader(name, extra[name] ?? "");
  if (answer.stream !== undefined) {
    void sendStream(response, answer.stream);
    return;
  }
  // Not `writeHead`: `end` knows the length of the whole body, and says it instead of sending chunks.
  response.end(body);
}

/** Who an upgrade is for, an actor, the inspector, or this gateway as the engine of a remote host; nothing when it was refused. */
function admitUpgrade(
  gateway: Gateway,
  request: IncomingMessage,
  socket: Duplex,
): SocketRoute | InspectorRoute | "engine" | undefined {
  // A reset before the handshake is done is nobody's error.
  socket.on("error", () => {});
  try {
    const url = request.url ?? "/";
    const remoteHost = gateway.takesHost(url);
    const access = accessOf(request);
    gateway.admit({ ...access, remoteHost });
    return remoteHost ? "engine" : gateway.upgradeRoute(url, access);
  } catch (cause) {
    writeRefusal(socket, gateway.refusal(cause, "json"));
    return undefined;
  }
}
