/**
 * The WebSocket that `onWebSocket` is given: the standard's names over an actor's end of a raw socket.
 */
import type { SocketEvents, SocketListener, UniversalWebSocket } from "@troupe/client";
import { bytesPast, type Message } from "@troupe/protocol";
import { socketErrors } from "../../socket-errors.ts";
import type { SocketListeners } from "./socket-listeners.ts";

/** What stands behind it. */
export interface WebSocketCore {
  readonly listeners: SocketListeners;
  readonly readyState: number;
  readonly bufferedBytes: number;
  readonly protocol: string;
  readonly url: string;
  /** Throws `message.outgoing_too_long`. */
  send(message: Message): void;
  end(code: number, reason: string): void;
  /** Somebody listens to messages now. */
  listening(): void;
}

/** A reason has to fit into a control frame: RFC 6455 5.5. */
const LONGEST_REASON_BYTES = 123;

/** A raw socket, as the actor's code sees it. */
export class ActorWebSocket implements UniversalWebSocket {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly #core: WebSocketCore;

  constructor(core: WebSocketCore) {
    this.#core = core;
  }

  get readyState(): number {
    return this.#core.readyState;
  }

  get bufferedAmount(): number {
    return this.#core.bufferedBytes;
  }

  get protocol(): string {
    return this.#core.protocol;
  }

  get extensions(): string {
    return "";
  }

  get url(): string {
    return this.#core.url;
  }

  get binaryType(): string {
    return "arraybuffer";
  }

  set binaryType(type: string) {
    if (type !== "arraybuffer") throw socketErrors.unsupportedBinaryType(String(type));
  }

  send(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#core.send(messageOf(data));
  }

  /** A server may say more than a page may: every code that RFC 6455 lets somebody send. */
  close(code = 1000, reason = ""): void {
    if (!sendable(code)) throw socketErrors.invalidCloseCode(code);
    const bytes = bytesPast(LONGEST_REASON_BYTES, reason);
    if (bytes !== undefined) throw socketErrors.reasonTooLong(bytes, LONGEST_REASON_BYTES);
    this.#core.end(code, reason);
  }

  addEventListener<N extends keyof SocketEvents>(
    type: N,
    listener: SocketListener<N>,
    options?: { readonly once?: boolean },
  ): void {
    this.#core.listeners.add(type, listener, options?.once === true);
    if (type === "message") this.#core.listening();
  }

  removeEventListener<N extends keyof SocketEvents>(type: N, listener: SocketListener<N>): void {
    this.#core.listeners.remove(type, listener);
  }

  get onopen(): SocketListener<"open"> | null {
    return this.#core.listeners.property("open");
  }

  set onopen(listener: SocketListener<"open"> | null) {
    this.#core.listeners.setProperty("open", listener);
  }

  get onmessage(): SocketListener<"message"> | null {
    return this.#core.listeners.property("message");
  }

  set onmessage(listener: SocketListener<"message"> | null) {
    this.#core.listeners.setProperty("message", listener);
    this.#core.listening();
  }

  get onclose(): SocketListener<"close"> | null {
    return this.#core.listeners.property("close");
  }

  set onclose(listener: SocketListener<"close"> | null) {
    this.#core.listeners.setProperty("close", listener);
  }

  get onerror(): SocketListener<"error"> | null {
    return this.#core.listeners.property("error");
  }

  set onerror(listener: SocketListener<"error"> | null) {
    this.#core.listeners.setProperty("error", listener);
  }
}

/** Copied: the actor may change its bytes while the message waits for the disk. */
function messageOf(data: unknown): Message {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (!ArrayBuffer.isView(data)) throw socketErrors.unsupportedData();
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
}

function sendable(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
