/**
 * MessageGuard: what a raw socket's client may have sent of one message, before it is whole.
 *
 * How long a message may be is the actor's to say, and `ws` takes one limit when the socket opens. So nothing is read until
 * the actor has taken the socket (what the client sends meanwhile stays in the system's buffers, and holds the client
 * back), and from then on the bytes behind the last whole message are counted as they come off the socket. A message
 * that is a little too long may still become whole: its exact size is the gateway's to check.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";

/** Headers of frames, and what one read brings behind the end of a message. */
const SLACK_BYTES = 64 * 1024;
/** A client's control frame without its payload: header and mask. */
const CONTROL_BYTES = 6;

/** Watches one raw socket for as long as it lasts. */
export class MessageGuard {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  #limit = 0;
  /** Bytes since the end of the last message. */
  #bytes = 0;
  /** The chunk that is read now has ended a message. */
  #whole = false;
  #state: "open" | "over" | "closing" = "open";
  /** Called once, when the client is in the middle of a message that is too long: nothing more is read. */
  tooLong: (bytes: number) => void = () => {};

  /** At once after the upgrade: `ws` listens to the socket already, so a message that is whole comes before its count. */
  constructor(ws: WebSocket, socket: Duplex) {
    this.#ws = ws;
    this.#socket = socket;
    ws.pause();
    socket.on("data", this.#count);
    ws.on("message", this.#messageEnd);
    // They may stand between the parts of a message, and are none of it.
    ws.on("ping", this.#control);
    ws.on("pong", this.#control);
  }

  /** The actor has taken the socket. */
  accept(maxBytes: number): void {
    this.#limit = maxBytes;
    this.#ws.resume();
  }

  /** This side closes it, and has said so: the client's answer must be read, unless it talks too much for that. */
  closing(): void {
    const over = this.#state === "over";
    this.#state = "closing";
    if (over) this.#cut();
    else this.#ws.resume();
  }

  readonly #messageEnd = (): void => {
    this.#whole = true;
  };

  readonly #control = (data: Buffer): void => {
    this.#bytes -= data.length + CONTROL_BYTES;
  };

  readonly #count = (chunk: Buffer): void => {
    this.#bytes = this.#whole ? 0 : Math.max(0, this.#bytes + chunk.length);
    this.#whole = false;
    if (this.#bytes <= this.#limit + SLACK_BYTES || this.#state === "over") return;
    this.#ws.pause();
    if (this.#state === "closing") {
      this.#cut();
      return;
    }
    this.#state = "over";
    this.tooLong(this.#bytes);
  };

  /** Gone as soon as what was said last is out. */
  #cut(): void {
    this.#socket.end(() => this.#socket.destroy());
  }
}
