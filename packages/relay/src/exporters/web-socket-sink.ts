/**
 * WebSocketSink: each line a message on one connection, which is opened on first use and again when it was lost.
 *
 * A socket says nothing of what arrived: lines that were handed to a connection that broke may be lost uncounted. Where
 * that matters HTTP is the transport.
 */
import { relayErrors } from "../errors.ts";
import type { Sink } from "./file-sink.ts";
import { type StreamSinkOptions, withoutSecrets } from "./http-sink.ts";

/** How often the rest of what was handed over is looked at. */
const LOOK_MS = 5;

/** Lines as messages. */
export class WebSocketSink implements Sink {
  readonly #options: StreamSinkOptions;
  #socket: Promise<WebSocket> | undefined = undefined;

  constructor(options: StreamSinkOptions) {
    this.#options = options;
  }

  async write(lines: readonly string[]): Promise<void> {
    const socket = await this.#open();
    for (const line of lines) socket.send(line);
    const until = performance.now() + this.#options.timeoutMs;
    while (socket.bufferedAmount > 0) {
      if (socket.readyState !== WebSocket.OPEN || performance.now() > until)
        throw relayErrors.unreachable(withoutSecrets(this.#options.url), "the connection was lost");
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const socket = await this.#socket?.catch(() => undefined);
    this.#socket = undefined;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.timeoutMs);
    socket.addEventListener("close", () => resolve());
    socket.close(1000);
    await promise;
    clearTimeout(timer);
  }

  async #open(): Promise<WebSocket> {
    const opened = await this.#socket?.catch(() => undefined);
    if (opened?.readyState === WebSocket.OPEN) return opened;
    this.#socket = this.#connect();
    return await this.#socket;
  }

  async #connect(): Promise<WebSocket> {
    const { url, headers, timeoutMs } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
    const failed = (why: string): void => reject(relayErrors.unreachable(withoutSecrets(url), why));
    // Node takes headers here, of which the browser's types know nothing.
    const socket: WebSocket = Reflect.construct(WebSocket, [url, { headers: { ...headers } }]);
    const timer = setTimeout(() => failed("no connection in time"), timeoutMs);
    socket.addEventListener("open", () => resolve(socket));
    socket.addEventListener("error", () => failed("no connection"));
    socket.addEventListener("close", () => failed("no connection"));
    try {
      return await promise;
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
