/**
 * Raw HTTP on node:http: bodies stream both ways, with the backpressure of the socket.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Gateway } from "../gateway/gateway.ts";
import type { RawExchange, StreamingReply } from "../gateway/raw-exchange.ts";
import type { ByteSource, HttpAnswerHead } from "../ports/raw.ts";

/** Asks an actor. The request is admitted, and its body unread. */
export function exchange(gateway: Gateway, request: IncomingMessage, response: ServerResponse): void {
  const reply = new NodeReply(request, response);
  const { headers, rawHeaders, method = "GET", url = "/" } = request;
  const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  const list = Array.from(
    { length: rawHeaders.length / 2 },
    (_, index) => [rawHeaders[index * 2] ?? "", rawHeaders[index * 2 + 1] ?? ""] as const,
  );
  if (gateway.draining) response.shouldKeepAlive = false;
  const asked = gateway.exchange(
    {
      method,
      url,
      origin: `http://${headers.host ?? "localhost"}`,
      header: (name) => {
        const value = headers[name];
        return Array.isArray(value) ? value.join(", ") : value;
      },
      headers: list,
      body: hasBody && method !== "GET" && method !== "HEAD" ? new NodeBody(request) : undefined,
    },
    reply,
  );
  reply.belongsTo(asked);
}

/** A request's body: the socket is read only as fast as this is. */
class NodeBody implements ByteSource {
  readonly #request: IncomingMessage;
  #change: (() => void) | undefined;
  #ended = false;
  #failure: unknown;

  constructor(request: IncomingMessage) {
    this.#request = request;
    const changed = (): void => this.#change?.();
    request.on("readable", changed);
    request.on("end", () => {
      this.#ended = true;
      changed();
    });
    request.on("error", (error) => {
      this.#failure = error;
    });
    request.on("close", () => {
      if (!this.#ended) this.#failure ??= new Error("the connection was closed");
      changed();
    });
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const bytes: Buffer | null = this.#request.read();
      if (bytes !== null) return new Uint8Array(bytes);
      if (this.#ended) return undefined;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((change) => {
        this.#change = change;
      });
    }
  }

  /** What still comes is read and dropped; the connection ends with the answer, if it is more than a little. */
  cancel(): void {
    this.#request.removeAllListeners("readable");
    this.#request.resume();
    this.#change?.();
  }
}

/** An answer on its way into a ServerResponse. */
class NodeReply implements StreamingReply {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #exchange: RawExchange | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.on("close", () => {
      if (!response.writableFinished) this.#exchange?.gone();
    });
    // Nobody to tell: `close` follows.
    response.on("error", () => {});
    response.on("finish", () => {
      // A body that nobody reads must not be read for as long as somebody sends it.
      if (!request.complete) request.socket.destroySoon();
    });
  }

  belongsTo(exchange: RawExchange): void {
    this.#exchange = exchange;
  }

  head({ status, headers }: HttpAnswerHead): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (!this.#request.complete) response.shouldKeepAlive = false;
    response.statusCode = status;
    for (const [name, value] of headers) response.appendHeader(name, value);
    // Who listens to a stream must see that it has begun.
    response.flushHeaders();
  }

  chunk(bytes: Uint8Array): void {
    this.#response.write(bytes, () => this.#exchange?.taken(1));
  }

  end(): void {
    this.#response.end();
  }

  /** A chunked body without its last chunk, or one that is too short. */
  reset(): void {
    this.#response.destroy();
  }
}
