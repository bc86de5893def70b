/**
 * HelloGuard: what a socket may send before its hello has been read.
 *
 * `ws` has one limit for a message, which a connection's largest frame sets; it can't be another one for the first
 * message. So the bytes are counted as they come off the socket: until a first message is whole, at most a hello's worth
 * is taken in, and it counts into what the gateway holds of bodies, so that many strangers at once hold no more than
 * that either.
 */
import type { Duplex } from "node:stream";
import { closeCodes, limits } from "@troupe/protocol";
import type { WebSocket } from "ws";
import type { BodyBudget } from "../gateway/body-budget.ts";

/** Headers of frames, and what one read brings behind the hello. */
const SLACK_BYTES = 64 * 1024;

/** Watches one socket until its first message. */
export class HelloGuard {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #budget: BodyBudget;
  #bytes = 0;
  #ended = false;

  /** At once after the upgrade: `ws` listens to the socket already, so a message that is whole comes before its count. */
  constructor(ws: WebSocket, socket: Duplex, budget: BodyBudget) {
    this.#ws = ws;
    this.#socket = socket;
    this.#budget = budget;
    socket.on("data", this.#count);
    ws.once("message", this.#end);
    ws.once("close", this.#end);
  }

  readonly #count = (chunk: Buffer): void => {
    // The chunk that ended it: `ws` hears of each first.
    if (this.#ended) return;
    try {
      this.#budget.take(chunk.length);
    } catch {
      this.#refuse(closeCodes.tryLater, "gateway.busy");
      return;
    }
    this.#bytes += chunk.length;
    if (this.#bytes > limits.helloBytes + SLACK_BYTES)
      this.#refuse(closeCodes.messageTooBig, "connection.hello_too_long");
  };

  readonly #end = (): void => {
    this.#ended = true;
    this.#socket.off("data", this.#count);
    this.#ws.off("message", this.#end);
    this.#ws.off("close", this.#end);
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
  };

  /** Says why, reads no more, and is gone as soon as that is out. */
  #refuse(code: number, reason: string): void {
    this.#end();
    this.#ws.close(code, reason);
    this.#ws.pause();
    this.#socket.end(() => this.#socket.destroy());
  }
}
