/**
 * The gateway on node:http and ws.
 */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type Env, TroupeError } from "@troupe/base";
import { limits, SUBPROTOCOL } from "@troupe/protocol";
import { WebSocketServer } from "ws";
import { configErrors, gatewayErrors } from "../errors.ts";
import type { AccessRequest } from "../gateway/access.ts";
import { type Gateway, isProbe } from "../gateway/gateway.ts";
import { errorResponse, type GatewayRequest, type GatewayResponse } from "../gateway/http-message.ts";
import type { ActorRoute } from "../gateway/route.ts";
import type { Listening } from "../registry/platform.ts";
import { WsLink } from "./ws-link.ts";

/** Serves a gateway; settles when it listens. Throws `config.port_in_use`. */
export async function listen(options: {
  env: Env;
  gateway: Gateway;
  host: string;
  port: number;
}): Promise<Listening> {
  const { gateway, host } = options;
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      maxHeaderSize: limits.headerBytes,
      noDelay: true,
    },
    (request, response) => serve(gateway, request, response),
  );
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.incomingMessageBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  server.on("upgrade", (request, socket, head) => upgrade(gateway, sockets, request, socket, head));
  const port = await bind(server, host, options.port);
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    endpoint: `http://${shown}:${port}`,
    port,
    host,
    close: () => new Promise((resolve) => server.close(() => resolve())),
    end: () => {
      server.closeAllConnections();
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? configErrors.portInUse(host, port) : error);
    });
    server.listen({ host, port }, () => resolve(addressOf(server).port));
  });
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server has an address");
  return address;
}

function serve(gateway: Gateway, request: IncomingMessage, response: ServerResponse): void {
  const origin = request.headers.origin;
  try {
    gateway.admit(accessOf(request));
  } catch (cause) {
    refuse(request, response, cause);
    return;
  }
  const cors = origin === undefined ? undefined : gateway.corsHeaders(origin);
  const respond = (answer: GatewayResponse): void => send(response, answer, cors);
  new BodyReader(request, {
    done: (body) => gateway.http(toGatewayRequest(request, body), respond),
    failed: (error) => refuse(request, response, error),
  });
}

/** Collects a request's body, up to the limit. */
class BodyReader {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(
    request: IncomingMessage,
    handler: { done: (body: Uint8Array) => void; failed: (error: unknown) => void },
  ) {
    request.on("data", (chunk: Buffer) => {
      this.#length += chunk.length;
      if (this.#length > limits.httpBodyBytes) {
        request.removeAllListeners("data");
        request.removeAllListeners("end");
        handler.failed(gatewayErrors.bodyTooLarge(limits.httpBodyBytes));
        return;
      }
      this.#chunks.push(chunk);
    });
    request.on("end", () => handler.done(this.#whole()));
    // The client is gone: nobody to answer.
    request.on("error", () => {});
  }

  #whole(): Uint8Array {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined
      ? first
      : Buffer.concat(this.#chunks, this.#length);
  }
}

function toGatewayRequest(request: IncomingMessage, body: Uint8Array): GatewayRequest {
  return {
    method: request.method ?? "GET",
    url: request.url ?? "/",
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body,
    toRequest: () => toRequest(request),
  };
}

/** The request as fetch knows it, without its body, which the gateway has read. */
function toRequest(request: IncomingMessage): Request {
  const headers = new Headers();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    headers.append(request.rawHeaders[index] ?? "", request.rawHeaders[index + 1] ?? "");
  }
  const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
  return new Request(url, { method: request.method ?? "GET", headers });
}

function accessOf(request: IncomingMessage): AccessRequest {
  const { host, origin, authorization } = request.headers;
  return {
    host,
    origin,
    authorization,
    subprotocols: request.headers["sec-websocket-protocol"],
    preflight: request.method === "OPTIONS",
    probe: isProbe(request.url ?? ""),
  };
}

function send(
  response: ServerResponse,
  answer: GatewayResponse,
  extra: Readonly<Record<string, string>> | undefined,
): void {
  if (response.destroyed) return;
  if (answer.cookies !== undefined) response.setHeader("set-cookie", answer.cookies);
  const { body, headers } = answer;
  response.statusCode = answer.status;
  for (const name in headers) response.setHeader(name, headers[name] ?? "");
  if (extra !== undefined) for (const name in extra) response.setHeader(name, extra[name] ?? "");
  // Not `writeHead`: `end` knows the length of the whole body, and says it instead of sending chunks.
  response.end(body);
}

/** Answers without reading the rest of the request; the connection can't be used again then. */
function refuse(request: IncomingMessage, response: ServerResponse, cause: unknown): void {
  send(response, errorResponse(cause, "json"), request.complete ? undefined : { connection: "close" });
  request.resume();
}

function upgrade(
  gateway: Gateway,
  sockets: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  // A reset before the handshake is done is nobody's error.
  socket.on("error", () => {});
  let actor: ActorRoute;
  try {
    gateway.admit(accessOf(request));
    actor = gateway.socketRoute(request.url ?? "/");
  } catch (cause) {
    refuseUpgrade(socket, cause);
    return;
  }
  sockets.handleUpgrade(request, socket, head, (ws) => {
    gateway.socket(new WsLink(ws, socket), actor, () => toRequest(request));
  });
}

function refuseUpgrade(socket: Duplex, cause: unknown): void {
  const { status, body } = errorResponse(cause, "json");
  const text = TroupeError.is(cause) ? String(body) : "";
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}
