/**
 * A registry on Node: also behind a server that is the program's own (node:http, Express, Fastify, Next, Vite …).
 *
 * The server stays its program's: it listens, has its limits of headers, and is closed by whoever opened it. What comes to
 * our addresses is checked and limited as on a port of ours. A stop ends our sockets with 1012, as there; who comes behind it
 * is told to come back later, until the registry is opened again.
 *
 * Nobody asked us before it listened, where `start()` refuses to. So each request is asked which way it came in: without
 * `auth` nothing is served that came from another machine. The Host of a request is its sender's to choose, and keeps out
 * pages, not people.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TroupeError } from "@troupe/base";
import { configErrors, gatewayErrors, serverErrors } from "../errors.ts";
import { checkServer } from "../gateway/access.ts";
import { isProbe } from "../gateway/access-request.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { errorResponse, type GatewayResponse } from "../gateway/http-message.ts";
import { isOwnPath, isSocketPath } from "../gateway/route.ts";
import type { Definitions } from "../registry/config.ts";
import { Registry } from "../registry/registry.ts";
import { writeRefusal } from "./bad-requests.ts";
import { NodeDoor } from "./node-door.ts";
import type { NodeServerRequest, NodeServerResponse, NodeServerSocket } from "./server-shapes.ts";

/** Actors by name, and what runs them: `start`, or `nodeHandler` and `upgrade` behind a server of the program's own; `stop`. */
export class NodeRegistry<U extends Definitions> extends Registry<U> {
  /** One for each time that the registry is opened. */
  readonly #doors = new WeakMap<Gateway, NodeDoor>();
  /** The log has it that this server is open to others. */
  #told = false;

  /**
   * Answers requests of a server of node:http: a listener of its `request`, or a middleware, before any that reads bodies
   * (`app.use(registry.nodeHandler)` of Express and Connect). What isn't the registry's goes to `next`; without one it is
   * `setup({ fetch })`'s, or a 404. Opens the store at the first request, not behind a `stop()`: 503 `actor.stopping`.
   * Where TROUPE_ENDPOINT names an engine, the actors are there, and nothing is the registry's here: no store is opened, and
   * without a `next` all is a 404.
   *
   * ```ts
   * const server = createServer(registry.nodeHandler);
   * server.on("upgrade", registry.upgrade);
   * ```
   */
  readonly nodeHandler = (
    request: NodeServerRequest,
    response: NodeServerResponse,
    next?: (error?: unknown) => void,
  ): void => {
    if (!isRequest(request) || !isResponse(response))
      throw configErrors.invalidOption("nodeHandler", "given what a server of node:http has");
    const mine = !this.isElsewhere && isOwnPath(request.url ?? "/");
    if (!mine && next !== undefined) {
      next();
      return;
    }
    const refuse = ({ status, headers, body }: GatewayResponse): void => {
      response.writeHead(status, { ...headers, connection: "close" }).end(body);
    };
    if (this.isElsewhere) {
      refuse(errorResponse(serverErrors.servedElsewhere(request.url ?? "/"), "json"));
      return;
    }
    this.#door(request).then(
      (door) => door.request(request, response),
      (cause: unknown) => refuse(this.#refusal(cause)),
    );
  };

  /**
   * Takes WebSockets of a server of node:http: `server.on("upgrade", registry.upgrade)`. Connections, actors' own sockets, the
   * inspector's and remote hosts', with the checks that `start()` makes. Returns false for what isn't the registry's, and leaves
   * it untouched, for other listeners; where there is none it is a 404. Opens the store as `nodeHandler` does.
   */
  readonly upgrade = (request: NodeServerRequest, socket: NodeServerSocket, head: Uint8Array): boolean => {
    if (!isRequest(request) || !isDuplex(socket) || !Buffer.isBuffer(head))
      throw configErrors.invalidOption("upgrade", "given what a server of node:http has");
    if (this.isElsewhere || !isSocketPath(request.url ?? "/")) {
      if (isOnlyListener(socket, this.upgrade)) refuseForeign(request, socket);
      return false;
    }
    // A reset before there is a WebSocket is nobody's error.
    socket.on("error", () => {});
    this.#door(request).then(
      (door) => door.upgrade(request, socket, head),
      (cause: unknown) => writeRefusal(socket, this.#refusal(cause)),
    );
    return true;
  };

  async #door(request: IncomingMessage): Promise<NodeDoor> {
    this.#checkWay(request);
    const { runtime, doors } = await this.served();
    const known = this.#doors.get(runtime.gateway);
    if (known !== undefined) return known;
    const door = new NodeDoor(runtime.gateway);
    this.#doors.set(runtime.gateway, door);
    doors.push(door);
    return door;
  }

  /** Throws `config.unsafe_bind`. */
  #checkWay({ socket, url = "/" }: IncomingMessage): void {
    if (this.config.auth !== undefined || isProbe(url)) return;
    const address = socket.localAddress;
    if (address !== undefined) checkServer(address);
    // Which way a socket came in that has gone meanwhile, nobody knows. One that is there and has no address came over none:
    // a Unix domain socket, or a test that calls the handler by itself.
    else if (socket.destroyed)
      throw serverErrors.badRequest("The connection has ended before its request began");
  }

  #refusal(cause: unknown): GatewayResponse {
    if (!TroupeError.is(cause)) return this.unopened(cause);
    const { code } = cause;
    if (code === "unsafe_bind" && !this.#told) {
      // Once: strangers don't fill the log.
      this.#told = true;
      this.unsafe(cause);
    }
    return tellable.has(code) ? errorResponse(cause, "json", undefined) : this.unopened(cause);
  }
}

function isRequest(request: NodeServerRequest): request is IncomingMessage {
  return "rawHeaders" in request && "pipe" in request;
}

function isResponse(response: NodeServerResponse): response is ServerResponse {
  return "setHeader" in response && "destroy" in response;
}

function isDuplex(socket: NodeServerSocket): socket is Duplex {
  return "pipe" in socket && "destroy" in socket;
}

/** Refusals of the door itself, and a stop: no failures. */
const tellable: ReadonlySet<string> = new Set(["stopping", "unsafe_bind", "bad_request"]);

/** True when whoever emits the upgrades of this socket has nobody but `listener` to take them. */
function isOnlyListener(socket: Duplex, listener: unknown): boolean {
  // Each socket that a server of Node's has taken names it.
  const server: unknown = socket instanceof Socket ? Reflect.get(socket, "server") : undefined;
  if (!(server instanceof EventEmitter)) return false;
  const listeners = server.listeners("upgrade");
  return listeners.length === 1 && listeners[0] === listener;
}

/** Left unanswered it would be open for as long as its sender likes: Node has no limit for it. */
function refuseForeign({ url = "/" }: IncomingMessage, socket: Duplex): void {
  socket.on("error", () => {});
  writeRefusal(socket, errorResponse(gatewayErrors.notFound(url.split("?")[0] ?? ""), "json", undefined));
}
