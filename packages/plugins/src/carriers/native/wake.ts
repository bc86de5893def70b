/**
 * The wake signal: a pipe whose one end the plugin writes a byte to when its queue is no longer empty.
 *
 * What was written is read before anybody is told, so that a byte for what comes later is never taken for one of now.
 * The plugin's end stays open until the plugin says that none of its threads runs: a byte that is written to a number
 * that was closed and given out again lands in somebody else's file.
 */
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import type { Pipe } from "./ffi.ts";

/** Both ends of one plugin's wake pipe. */
export class Wake {
  readonly #write: number;
  readonly #socket: Socket;

  constructor(pipe: Pipe, woken: () => void) {
    this.#write = pipe.write;
    const callback = () => {
      woken();
      return true;
    };
    this.#socket = new Socket({
      fd: pipe.read,
      readable: true,
      writable: false,
      onread: { buffer: new Uint8Array(256), callback },
    });
    this.#socket.on("error", () => {});
    // A plugin that waits doesn't keep the program running; a server does.
    this.#socket.unref();
  }

  /** The descriptor that the plugin writes to. */
  get descriptor(): number {
    return this.#write;
  }

  /** No thread of the plugin's runs: both ends go. */
  close(): void {
    closeSync(this.#write);
    this.#socket.destroy();
  }

  /** Threads of the plugin's still run: both ends stay, and nobody listens. */
  abandon(): void {
    this.#socket.pause();
  }
}
