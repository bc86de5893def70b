/**
 * A standard WebSocket as a link.
 */
import { closeCodes, type Message } from "@troupe/protocol";
import type { WebSocketConstructor, WebSocketPort, WebSocketPortEvent } from "../env.ts";
import { clientErrors } from "../errors.ts";
import type { ClientLink, ClientLinkHandler } from "../transport.ts";

/** `WebSocket.OPEN`. */
const OPEN = 1;
/** The close codes that the standard lets a page send are 1000 and these. */
const OWN_CLOSE_CODES = { from: 3_000, to: 4_999 };
/** What a close event without a code means: the connection broke. */
const ABNORMAL = 1006;

/** Opens a WebSocket; rejects with `client.not_sent` when it doesn't open, for then nothing was sent over it. */
export function openWebSocket(
  WebSocket: WebSocketConstructor,
  url: string,
  subprotocols: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ClientLink> {
  return new Promise((resolve, reject) => {
    let socket: WebSocketPort;
    try {
      socket = new WebSocket(url, [...subprotocols]);
    } catch (error) {
      reject(clientErrors.badEndpoint(url, error));
      return;
    }
    const link = new WebSocketLink(socket);
    const abort = (): void => link.close(closeCodes.normal, "");
    signal?.addEventListener("abort", abort);
    const settled = (): void => signal?.removeEventListener("abort", abort);
    socket.addEventListener("open", () => {
      settled();
      resolve(link);
    });
    // After `open` this rejects a promise that is settled already, which does nothing.
    socket.addEventListener("close", (event) => {
      settled();
      reject(clientErrors.notSent(url, event.reason));
    });
    // `close` follows each `error` and says more; but without a listener some implementations throw.
    socket.addEventListener("error", () => {});
  });
}

/** Keeps what comes before somebody listens: a socket may close between its opening and `attach`. */
class WebSocketLink implements ClientLink {
  readonly #socket: WebSocketPort;
  #handler: ClientLinkHandler | undefined;
  #early: ((handler: ClientLinkHandler) => void)[] = [];

  constructor(socket: WebSocketPort) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", (event) =>
      this.#deliver((handler) => handler.message(messageOf(event))),
    );
    socket.addEventListener("close", (event) =>
      this.#deliver((handler) => handler.closed(event.code ?? ABNORMAL, event.reason ?? "")),
    );
  }

  attach(handler: ClientLinkHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    for (const deliver of early) deliver(handler);
  }

  send(data: Message): void {
    // While closing, browsers drop what is sent and Node throws.
    if (this.#socket.readyState === OPEN) this.#socket.send(data as string | Uint8Array<ArrayBuffer>);
  }

  close(code: number, reason: string): void {
    const own = code >= OWN_CLOSE_CODES.from && code <= OWN_CLOSE_CODES.to;
    if (code === closeCodes.normal || own) this.#socket.close(code, reason);
    else this.#socket.close();
  }

  #deliver(deliver: (handler: ClientLinkHandler) => void): void {
    if (this.#handler === undefined) this.#early.push(deliver);
    else deliver(this.#handler);
  }
}

function messageOf(event: WebSocketPortEvent): Message {
  return typeof event.data === "string" ? event.data : new Uint8Array(event.data as ArrayBuffer);
}
