/** A request of node:http, as the gateway and as fetch know it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayRequest } from "../gateway/http-message.ts";

/** A request whose body has been read. */
export class NodeRequest implements GatewayRequest {
  readonly method: string;
  readonly url: string;
  readonly body: Uint8Array;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse, body: Uint8Array) {
    this.method = request.method ?? "GET";
    this.url = request.url ?? "/";
    this.body = body;
    this.#request = request;
    this.#response = response;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  onGone(listener: () => void): void {
    const response = this.#response;
    const gone = (): void => {
      if (!response.writableEnded) listener();
    };
    if (response.destroyed) gone();
    else response.once("close", gone);
  }

  toRequest(): Request {
    return toRequest(this.#request);
  }
}

/** The request as fetch knows it, without its body, which the gateway has read. */
export function toRequest(request: IncomingMessage): Request {
  const headers = new Headers();
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    headers.append(request.rawHeaders[index] ?? "", request.rawHeaders[index + 1] ?? "");
  }
  const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
  return new Request(url, { method: request.method ?? "GET", headers });
}
