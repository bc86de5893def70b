/**
 * ModelListener: where agents find their models: a proxy on a loopback address, through which the relay sees what they say to each other.
 *
 * Every program of this machine can reach it. So each session has an address of its own, with a token in its path, which only its agent is
 * given and which ends with the agent; a request with an Origin is a page's. It listens from the first session to the end of the
 * activation.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  callModel,
  type ModelCaller,
  passThrough,
  pathOf,
  providerOf,
  readable,
  sendJson,
  type Upstreams,
} from "@troupe/relay/model-proxy";

const TOKEN_BYTES = 24;
const ADDRESS = /^\/t\/(?<token>[\w-]+)(?<rest>\/.*)$/;
/** Nobody counts here: a relay's exporters do. */
const metrics = { held: () => undefined };

/** One session, as the listener sees it. */
export interface ModelUser {
  readonly sessionId: string;
  /** Under whose middleware its model is called now. */
  readonly caller: () => ModelCaller;
}

/** A session's way to its models. */
export interface ModelAccess extends Disposable {
  readonly url: string;
}

/** The listener of one activation. */
export class ModelListener {
  readonly #upstreams: Upstreams;
  /** By the hash of the token: a lookup tells nothing of how much of a guess was right. */
  readonly #users = new Map<string, ModelUser>();
  #server: Promise<Server> | undefined;

  constructor(upstreams: Upstreams) {
    this.#upstreams = upstreams;
  }

  /** Lets one session in, until it is disposed of. */
  async open(user: ModelUser): Promise<ModelAccess> {
    this.#server ??= this.#listen();
    const { port } = (await this.#server).address() as AddressInfo;
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const key = hash(token);
    this.#users.set(key, user);
    const url = `http://127.0.0.1:${port}/t/${token}`;
    return { url, [Symbol.dispose]: () => void this.#users.delete(key) };
  }

  /** Ends it; requests that run lose their connection. */
  async close(): Promise<void> {
    const server = await this.#server;
    this.#users.clear();
    this.#upstreams.close();
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    this.#server = undefined;
  }

  async #listen(): Promise<Server> {
    // A body may take as long as it likes, as the answer may.
    const server = createServer({ requestTimeout: 0 }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { token = "", rest = "" } = ADDRESS.exec(request.url ?? "")?.groups ?? {};
    const user = this.#users.get(hash(token));
    if (user === undefined || request.headers.origin !== undefined) {
      response.writeHead(403, { connection: "close" }).end();
      return;
    }
    request.url = rest;
    const { sessionId: session, caller } = user;
    const route = { relay: caller(), upstreams: this.#upstreams, metrics, session };
    let provider: ReturnType<typeof providerOf>;
    try {
      const path = pathOf(rest);
      provider = providerOf(path);
      if (provider === undefined || request.method !== "POST")
        await passThrough(route, path, request, response);
      else await callModel(route, provider, request, response);
    } catch (cause) {
      const error = readable(cause);
      // A body that wasn't read to its end can't be followed by another request.
      if (!response.headersSent) response.setHeader("connection", "close");
      const { group, code, message, statusCode } = error;
      sendJson(response, statusCode, provider?.errorBody(error) ?? { error: { group, code, message } });
    }
  }
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
