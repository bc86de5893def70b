/**
 * A Link over the WebSocket that every web platform has.
 */
import type { Link, LinkHandler, Message } from "../ports/transport.ts";

/** Opens a WebSocket. Rejects when it closes, or `signal` fires, before it is open. */
export function dialWebSocket(url: string, signal: AbortSignal): Promise<Link> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const link = new WebSocketLink(socket);
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(link));
    socket.addEventListener("close", () =>
      reject(new Error(`${url} closed the connection before it was open`)),
    );
    socket.addEventListener("error", () => reject(new Error(`${url} can't be reached, or is no engine`)));
    const abort = (): void => {
      reject(signal.reason);
      socket.close();
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.addEventListener("open", () => signal.removeEventListener("abort", abort));
  });
}

/** One WebSocket. */
class WebSocketLink implements Link {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  attach(handler: LinkHandler): void {
    this.#socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
      handler.message(typeof data === "string" ? data : new Uint8Array(data));
    });
    this.#socket.addEventListener("close", ({ code, reason }) => handler.closed(code, reason));
  }

  send(data: Message): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(typeof data === "string" ? data : Uint8Array.from(data));
  }

  /**
   * The standard lets a program say 1000 and none of RFC 6455's other codes: it throws. Said without one, the engine takes it as
   * any link that is lost, and waits for the host.
   */
  close(code: number, reason: string): void {
    if (code === 1000) this.#socket.close(code, reason);
    else this.#socket.close();
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount ?? 0;
  }
}
