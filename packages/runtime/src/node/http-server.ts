/**
 * The gateway on node:http and ws.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Env } from "@troupe/base";
import { limits, SUBPROTOCOL } from "@troupe/protocol";
import { WebSocketServer } from "ws";
import { serverErrors, setupErrors } from "../errors.ts";
import type { AccessRequest } from "../gateway/access.ts";
import { isProbe } from "../gateway/access-request.ts";
import type { BodyBudget } from "../gateway/body-budget.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { GatewayResponse } from "../gateway/http-message.ts";
import { type InspectorRoute, isInspectorPath } from "../gateway/inspector-door.ts";
import { isRequestPath, type SocketRoute } from "../gateway/route.ts";
import { agreed } from "../gateway/subprotocols.ts";
import type { Listening } from "../registry/platform.ts";
import { answerBadHandshakes, answerBadRequests, type Refuse, writeRefusal } from "./bad-requests.ts";
import { HelloGuard } from "./hello-guard.ts";
import { exchange } from "./http-exchange.ts";
import { LateBodies, type ReadingBody } from "./late-bodies.ts";
import { MessageGuard } from "./message-guard.ts";
import { NodeRequest, toRequest } from "./node-request.ts";
import { sendStream } from "./send-stream.ts";
import { WsLink } from "./ws-link.ts";

/** How long a server waits for what. Milliseconds; each is a limit. */
export interface ServerTimes {
  readonly headersMs: number;
  readonly requestMs: number;
  /** Between two looks at which requests are late. */
  readonly lookMs: number;
  readonly closeMs: number;
}

const defaultTimes: ServerTimes = {
  headersMs: limits.headersTimeoutMs,
  requestMs: limits.requestTimeoutMs,
  lookMs: limits.requestLookMs,
  closeMs: limits.closeTimeoutMs,
};

/** Serves a gateway; settles when it listens. Throws `config.port_in_use`, `config.cannot_listen`. */
export async function listen(options: {
  env: Env;
  gateway: Gateway;
  host: string;
  port: number;
  times?: ServerTimes;
}): Promise<Listening> {
  const { gateway, host, times = defaultTimes } = options;
  const late = new LateBodies(times.requestMs, times.lookMs);
  const server = createServer(
    {
      headersTimeout: times.headersMs,
      // See LateBodies.
      requestTimeout: 0,
      connectionsCheckingInterval: times.lookMs,
      maxHeaderSize: limits.headerBytes,
      noDelay: true,
      // Any other protocol (curl offers h2c) is an offer that a server may ignore: RFC 9110, 7.8.
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === "websocket",
    },
    (request, response) => serve(gateway, late, request, response),
  );
  const refuse: Refuse = (error) => gateway.refusal(error, "json");
  answerBadRequests(server, refuse);
  const ours = (offered: ReadonlySet<string>): string | false =>
    offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false;
  const theirs = (offered: ReadonlySet<string>): string | false => agreed([...offered].join(",")) || false;
  const sockets: Sockets = {
    connect: webSocketServer(limits.incomingMessageBytes, ours, refuse),
    websocket: webSocketServer(limits.incomingMessageBytes, theirs, refuse),
    // Nothing is said to it: it only tells.
    inspector: webSocketServer(limits.helloBytes, ours, refuse),
    // A remote host's message may be a whole batch.
    engine: webSocketServer(limits.pluginFrameBytes, () => false, refuse),
  };
  server.on("upgrade", (request, socket, head) => {
    const admitted = admitUpgrade(gateway, request, socket);
    if (admitted === undefined) return;
    const kind = admitted === "engine" ? "engine" : admitted.kind;
    sockets[kind].handleUpgrade(request, socket, head, (ws) => {
      // A raw socket says no hello: its actor hears its first message.
      const guard = kind === "websocket" ? new MessageGuard(ws, socket) : undefined;
      if (guard === undefined) new HelloGuard(ws, socket, gateway.bodies);
      const link = new WsLink(ws, { socket, closeTimeoutMs: times.closeMs, guard });
      if (admitted === "engine") gateway.host(link);
      else gateway.socket(link, admitted, () => toRequest(request));
    });
  });
  const port = await bind(server, host, options.port);
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    endpoint: `http://${shown}:${port}`,
    port,
    host,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          late.close();
          resolve();
        });
      }),
    end: () => {
      server.closeAllConnections();
      for (const { clients } of Object.values(sockets)) for (const socket of clients) socket.terminate();
    },
  };
}

/** One for each kind of socket: they agree on subprotocols in different ways. */
type Sockets = Readonly<Record<(SocketRoute | InspectorRoute)["kind"] | "engine", WebSocketServer>>;

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

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const inUse = error.code === "EADDRINUSE";
      reject(inUse ? setupErrors.portInUse(host, port) : setupErrors.cannotListen(host, port, error));
    });
    server.listen({ host, port }, () => resolve(addressOf(server).port));
  });
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has an address");
  return address;
}

function serve(gateway: Gateway, late: LateBodies, request: IncomingMessage, response: ServerResponse): void {
  const access = accessOf(request);
  const cors = gateway.corsHeaders(access);
  const respond = (answer: GatewayResponse): void => {
    if (gateway.draining) response.shouldKeepAlive = false;
    send(response, answer, cors);
  };
  /** Answers without reading the rest of the request; the connection can't be used again then. */
  const refuse = (cause: unknown): void => {
    if (!request.complete) response.shouldKeepAlive = false;
    respond(gateway.refusal(cause, "json"));
    request.resume();
  };
  try {
    gateway.admit(access);
  } catch (cause) {
    refuse(cause);
    return;
  }
  if (isRequestPath(request.url ?? "/")) {
    exchange(gateway, request, response);
    return;
  }
  new BodyReader(request, gateway.bodies, {
    late,
    done: (body) => gateway.http(new NodeRequest(request, response, body), respond),
    failed: refuse,
  });
}

/** Who has a body read. One of `done` and `failed` is called, once; neither when the client goes before. */
interface BodyHandler {
  readonly late: LateBodies;
  readonly done: (body: Uint8Array) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Collects a request's body, up to the limit.
 *
 * It forgets its handler when it is over. Where an event has two listeners node:events keeps them in an array, and V8 may come to
 * make these arrays among its old objects, as those of sockets live long: one whose request is over holds what its listeners know
 * until the next full collection. That would be the request, its answer, and all that they hold.
 */
class BodyReader implements ReadingBody {
  readonly since = performance.now();
  older: ReadingBody | undefined;
  newer: ReadingBody | undefined;
  readonly #late: LateBodies;
  readonly #budget: BodyBudget;
  readonly #chunks: Buffer[] = [];
  #request: IncomingMessage | undefined;
  #handler: BodyHandler | undefined;
  #length = 0;

  constructor(request: IncomingMessage, budget: BodyBudget, handler: BodyHandler) {
    this.#late = handler.late;
    this.#late.add(this);
    this.#request = request;
    this.#budget = budget;
    this.#handler = handler;
    // Listeners that know nothing but this.
    request.on("data", (chunk: Buffer) => this.#take(chunk));
    request.on("end", () => this.#end());
    // The client is gone: nobody to answer.
    request.on("error", () => {});
    request.on("close", () => this.#drop());
  }

  late(): void {
    this.#refuse(serverErrors.requestTimeout());
  }

  #take(chunk: Buffer): void {
    try {
      if (this.#length + chunk.length > limits.httpBodyBytes)
        throw serverErrors.bodyTooLarge(limits.httpBodyBytes);
      this.#budget.take(chunk.length);
      this.#length += chunk.length;
      this.#chunks.push(chunk);
    } catch (cause) {
      this.#refuse(cause);
    }
  }

  #end(): void {
    const handler = this.#handler;
    const body = this.#whole();
    this.#drop();
    handler?.done(body);
  }

  #refuse(cause: unknown): void {
    const handler = this.#handler;
    this.#request?.removeAllListeners("data");
    this.#request?.removeAllListeners("end");
    this.#drop();
    handler?.failed(cause);
  }

  /** Gives back what the chunks took, once, and forgets whose they were. */
  #drop(): void {
    this.#late.delete(this);
    this.#budget.give(this.#length);
    this.#length = 0;
    this.#chunks.length = 0;
    this.#request = undefined;
    this.#handler = undefined;
  }

  #whole(): Uint8Array {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined
      ? first
      : Buffer.concat(this.#chunks, this.#length);
  }
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

function send(
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
