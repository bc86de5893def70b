/**
 * ToolServer: where agents call the program's tools, over MCP and HTTP on a loopback address, with their session's token
 * ({@link AgentListener}). A request without one is told nothing.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { limits } from "@troupe/protocol";
import { AgentListener } from "../acp/agent-listener.ts";
import type { OfferedTools } from "./host-tool.ts";
import { answerMcp, type OnToolFailed } from "./mcp.ts";

/** A session's way to the tools. */
export interface ToolAccess extends Disposable {
  readonly url: string;
  readonly token: string;
}

/** The listener of one activation. */
export class ToolServer {
  readonly #onFailed: OnToolFailed;
  readonly #listener = new AgentListener<OfferedTools>({
    serve: (request, response) => this.#serve(request, response),
  });

  constructor(onFailed: OnToolFailed) {
    this.#onFailed = onFailed;
  }

  /** Lets one session in, until it is disposed of. */
  async open(tools: OfferedTools): Promise<ToolAccess> {
    const admission = await this.#listener.admit(tools);
    const { origin, token } = admission;
    return { url: `${origin}/mcp`, token, [Symbol.dispose]: () => admission[Symbol.dispose]() };
  }

  /** Ends it; calls that run lose their connection. */
  close(): Promise<void> {
    return this.#listener.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization = "" } = request.headers;
    const tools = this.#listener.caller(authorization.replace(/^Bearer /i, ""), request);
    if (tools === undefined) return refuse(response, 401);
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
