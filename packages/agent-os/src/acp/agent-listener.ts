/**
 * AgentListener: an HTTP listener on a loopback address that agents of some sessions may call.
 *
 * Every program of this machine can reach it, and every page that its user has open. So each session has a token of its own, which
 * only its agent is given and which ends with the agent; a request with an Origin is a page's. It listens from the first
 * session that needs it to the end of the activation.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

const TOKEN_BYTES = 24;

/** A session's way in, until it is disposed of. */
export interface Admission extends Disposable {
  /** `http://127.0.0.1:` and a port. */
  readonly origin: string;
  readonly token: string;
}

/** What a listener is made of. */
export interface AgentListenerParts {
  /** Answers one request. What it rejects with cuts the connection. */
  readonly serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly options?: ServerOptions;
}

/** The listener of one activation; `T`: what it knows of a session. */
export class AgentListener<T> {
  readonly #parts: AgentListenerParts;
  /** By the hash of the token: a lookup tells nothing of how much of a guess was right. */
  readonly #sessions = new Map<string, T>();
  #server: Promise<Server> | undefined;

  constructor(parts: AgentListenerParts) {
    this.#parts = parts;
  }

  /** Lets one session in. */
  async admit(session: T): Promise<Admission> {
    this.#server ??= this.#listen();
    const { port } = (await this.#server).address() as AddressInfo;
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const key = hash(token);
    this.#sessions.set(key, session);
    const gone = () => void this.#sessions.delete(key);
    return { origin: `http://127.0.0.1:${port}`, token, [Symbol.dispose]: gone };
  }

  /** Whose request it is; undefined: nobody's, or a page's. */
  caller(token: string, { headers }: IncomingMessage): T | undefined {
    return headers.origin === undefined ? this.#sessions.get(hash(token)) : undefined;
  }

  /** Ends it; requests that run lose their connection. */
  async close(): Promise<void> {
    const server = await this.#server;
    this.#sessions.clear();
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    this.#server = undefined;
  }

  async #listen(): Promise<Server> {
    const { options = {}, serve } = this.#parts;
    const server = createServer(options, (request, response) => {
      serve(request, response).catch(() => response.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
