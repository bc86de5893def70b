/**
 * A Link over a `ws` WebSocket.
 *
 * Messages of one tick leave in one write: a system call for each would cost more than all the rest. A text message is
 * one frame in one piece; it goes to the socket that the sender of `ws` writes to, at once and in order with what that
 * says. So the sender must never hold anything back: no message is compressed.
 */
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { Link, LinkHandler, Message } from "../ports/transport.ts";
import type { MessageGuard } from "./message-guard.ts";
import { textFrame } from "./text-frame.ts";
import { TickCork } from "./tick-cork.ts";

const TEXT = { binary: false, compress: false };
const BINARY = { binary: true, compress: false };

/** What a link is made of, beside its WebSocket. */
export interface WsLinkParts {
  readonly socket: Duplex;
  readonly closeTimeoutMs: number;
  /** Where it was opened by us: a client's frames are masked, and only the sender of `ws` does that. */
  readonly isClient?: boolean;
  readonly guard?: MessageGuard | undefined;
}

/** One WebSocket. */
export class WsLink implements Link {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #closeTimeoutMs: number;
  readonly #guard: MessageGuard | undefined;
  readonly #isClient: boolean;
  readonly #cork: TickCork;

  constructor(ws: WebSocket, { socket, closeTimeoutMs, isClient = false, guard }: WsLinkParts) {
    this.#ws = ws;
    this.#socket = socket;
    this.#cork = new TickCork(socket);
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#isClient = isClient;
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
    this.#cork.forThisTick();
    if (typeof data !== "string") return this.#ws.send(data, BINARY);
    const frame = this.#isClient ? undefined : textFrame(data);
    if (frame === undefined) this.#ws.send(data, TEXT);
    else this.#socket.write(frame);
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
}

function ignore(): void {}

/** The default `binaryType` gives Buffers; the other shapes are those of settings that aren't used. */
function bytesOf(data: Buffer | ArrayBuffer | Buffer[]): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
