/**
 * Connections of a listener, by whether something is asked on them. Unasked are those that are kept for another request, those that haven't
 * sent one yet, and those that have sent half of its head: Node counts the last two as busy, and closing would wait for them.
 */
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The connections of one listener. */
export class Connections {
  /** How many requests of each have no answer yet. */
  readonly #asked = new Map<Socket, number>();
  #closing = false;

  constructor(server: Server) {
    server.on("connection", (socket) => {
      this.#asked.set(socket, 0);
      socket.once("close", () => this.#asked.delete(socket));
    });
  }

  /** A request has come: its connection is needed until it has its answer. */
  asked(socket: Socket, response: ServerResponse): void {
    this.#count(socket, 1);
    response.on("close", () => {
      const left = this.#count(socket, -1);
      // What is written still leaves.
      if (this.#closing && left === 0) socket.destroySoon();
    });
  }

  /** Ends those that nothing is asked on, the others when they have their answers. */
  close(): void {
    this.#closing = true;
    for (const [socket, asked] of this.#asked) if (asked === 0) socket.destroy();
  }

  #count(socket: Socket, change: number): number | undefined {
    const before = this.#asked.get(socket);
    // It has closed.
    if (before === undefined) return undefined;
    this.#asked.set(socket, before + change);
    return before + change;
  }
}
