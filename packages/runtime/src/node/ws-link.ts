/**
 * A Link over a `ws` WebSocket.
 *
 * Messages of one tick leave in one write: the socket is corked at the first and uncorked when the tick is over. When a
 * group of batches becomes durable, hundreds of replies are released in one tick; a system call for each would cost
 * more than all the rest.
 */
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Link, LinkHandler, Message } from "../ports/transport.ts";
import type { MessageGuard } from "./message-guard.ts";

const TEXT = { binary: false, compress: false };
const BINARY = { binary: true, compress: false };

/** One WebSocket. */
export class WsLink implements Link {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #closeTimeoutMs: number;
  readonly #guard: MessageGuard | undefined;
  #corked = false;

  constructor(ws: WebSocket, socket: Duplex, closeTimeoutMs: number, guard?: MessageGuard) {
    this.#ws = ws;
    this.#socket = socket;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#guard = guard;
  }

  attach(handler: LinkHandler): void {
    this.#ws.on("message", (data, isBinary) => handler.message(isBinary ? bytesOf(data) : String(data)));
    this.#ws.on("close", (code, reason) => handler.closed(code, reason.toString()));
    if (handler.heard !== undefined) this.#ws.on("pong", () => handler.heard?.());
    if (this.#guard !== undefined) this.#guard.tooLong = (bytes) => handler.tooLong?.(bytes);
    // `close` follows: a protocol error, a message that is too long, a reset.
    this.#ws.on("error", ignore);
  }

  send(data: Message): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    this.#ws.send(data, typeof data === "string" ? TEXT : BINARY);
  }

  close(code: number, reason: string): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    this.#ws.close(code, reason);
    this.#guard?.closing();
    // The end stands behind all that the client left unread: one that doesn't read keeps our memory no longer.
    const timer = setTimeout(() => this.#ws.terminate(), this.#closeTimeoutMs).unref();
    this.#ws.once("close", () => clearTimeout(timer));
  }

  accept(maxBytes: number): void {
    this.#guard?.accept(maxBytes);
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  ping(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping();
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#socket.uncork();
  };
}

function ignore(): void {}

/** The default `binaryType` gives Buffers; the other shapes are those of settings that aren't used. */
function bytesOf(data: Buffer | ArrayBuffer | Buffer[]): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
