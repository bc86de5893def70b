/**
 * Corks a socket until the tick is over: what is written to it meanwhile leaves in one system call.
 *
 * When a group of batches becomes durable, replies to hundreds of sockets are released in one tick, so one callback
 * uncorks them all, not one each.
 */
import type { Duplex } from "node:stream";

let corked: TickCork[] = [];

/** The cork of one socket. */
export class TickCork {
  readonly #socket: Duplex;
  #isCorked = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Corks the socket, unless it is. */
  forThisTick(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    if (corked.push(this) === 1) process.nextTick(uncorkAll);
  }

  uncork(): void {
    this.#isCorked = false;
    this.#socket.uncork();
  }
}

function uncorkAll(): void {
  const corks = corked;
  corked = [];
  for (const cork of corks) cork.uncork();
}
