/**
 * ToolServer: where agents call the program's tools, over MCP and HTTP on a loopback address.
 *
 * Every program of this machine can reach it, and every page that its user has open. So each session has a token of its own, which
 * only its agent is given and which ends with the agent; a request without one is told nothing, and one with an Origin is a page's.
 * It listens from the first session that needs it to the end of the activation.
 */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { limits } from "@troupe/protocol";
import type { OfferedTools } from "./host-tool.ts";
import { answerMcp, type OnToolFailed } from "./mcp.ts";

const TOKEN_BYTES = 24;

/** A session's way to the tools. */
export interface ToolAccess extends Disposable {
  readonly url: string;
  readonly token: string;
}

/** The listener of one activation. */
export class ToolServer {
  readonly #onFailed: OnToolFailed;
  /** By the hash of the token: a lookup tells nothing of how much of a guess was right. */
  readonly #sessions = new Map<string, OfferedTools>();
  #server: Promise<Server> | undefined;

  constructor(onFailed: OnToolFailed) {
    this.#onFailed = onFailed;
  }

  /** Lets one session in, until it is disposed of. */
  async open(tools: OfferedTools): Promise<ToolAccess> {
    this.#server ??= this.#listen();
    const { port } = (await this.#server).address() as AddressInfo;
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const key = hash(token);
    this.#sessions.set(key, tools);
    const url = `http://127.0.0.1:${port}/mcp`;
    return { url, token, [Symbol.dispose]: () => void this.#sessions.delete(key) };
  }

  /** Ends it; calls that run lose their connection. */
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
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization = "", origin } = request.headers;
    const tools = this.#sessions.get(hash(authorization.replace(/^Bearer /i, "")));
    if (tools === undefined || origin !== undefined) return refuse(response, 401);
    // Nothing is told of by itself, so there is no stream to open.
    if (request.method !== "POST") return refuse(response, 405);
    const body = await read(request);
    if (body === undefined) return refuse(response, 413);
    const message = parse(body);
    const answer = await answerMcp(message, tools, this.#onFailed);
    if (answer === undefined) return void response.writeHead(202).end();
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }
}

function refuse(response: ServerResponse, status: number): void {
  // A body that wasn't read can't be followed by another request.
  response.writeHead(status, { connection: "close" }).end();
}

/** Undefined: it is too long. */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > limits.agentMessageBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What can't be read is no request. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
