/**
 * A registry on Node: also behind a server that is the program's own (node:http, Express, Fastify, Next, Vite …).
 *
 * The server stays its program's: it listens, has its limits of headers, and is closed by whoever opened it. What comes to
 * our addresses is checked and limited as on a port of ours. A stop ends our sockets with 1012, as there; who comes behind it
 * is told to come back later, until the registry is opened again.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { TroupeError } from "@troupe/base";
import { serverErrors } from "../errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { errorResponse, type GatewayResponse } from "../gateway/http-message.ts";
import { isOwnPath, isSocketPath } from "../gateway/route.ts";
import type { Definitions } from "../registry/config.ts";
import { Registry } from "../registry/registry.ts";
import { writeRefusal } from "./bad-requests.ts";
import { NodeDoor } from "./node-door.ts";

/** Actors by name, and what runs them: `start`, or `nodeHandler` and `upgrade` behind a server of the program's own; `stop`. */
export class NodeRegistry<U extends Definitions> extends Registry<U> {
  /** One for each time that the registry is opened. */
  readonly #doors = new WeakMap<Gateway, NodeDoor>();

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
    request: IncomingMessage,
    response: ServerResponse,
    next?: (error?: unknown) => void,
  ): void => {
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
    this.#door().then(
      (door) => door.request(request, response),
      (cause: unknown) => refuse(this.#refusal(cause)),
    );
  };

  /**
   * Takes WebSockets of a server of node:http: `server.on("upgrade", registry.upgrade)`. Connections, actors' own sockets, the
   * inspector's and remote hosts', with the checks that `start()` makes. Returns false for what isn't the registry's, and leaves
   * it untouched, for other listeners. Opens the store as `nodeHandler` does.
   */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): boolean => {
    if (this.isElsewhere || !isSocketPath(request.url ?? "/")) return false;
    // A reset before there is a WebSocket is nobody's error.
    socket.on("error", () => {});
    this.#door().then(
      (door) => door.upgrade(request, socket, head),
      (cause: unknown) => writeRefusal(socket, this.#refusal(cause)),
    );
    return true;
  };

  async #door(): Promise<NodeDoor> {
    const { runtime, doors } = await this.served();
    const known = this.#doors.get(runtime.gateway);
    if (known !== undefined) return known;
    const door = new NodeDoor(runtime.gateway);
    this.#doors.set(runtime.gateway, door);
    doors.push(door);
    return door;
  }

  /** A stop is no failure. */
  #refusal(cause: unknown): GatewayResponse {
    const stopping = TroupeError.is(cause) && cause.code === "stopping";
    return stopping ? errorResponse(cause, "json", undefined) : this.unopened(cause);
  }
}
