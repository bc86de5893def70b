/** Local sockets on Node: Unix sockets in a folder of their own, which only this user may enter. */
import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { LocalDoor, LocalSocket, LocalSocketHandler, LocalSockets } from "../ports/local-sockets.ts";
import { makeOwnedFolder } from "./owned-folder.ts";

/** Undefined where there are no Unix sockets. */
export const nodeLocalSockets: LocalSockets | undefined = process.platform === "win32" ? undefined : { open };

async function open(accept: (socket: LocalSocket) => void): Promise<LocalDoor> {
  const folder = await makeOwnedFolder("troupe-rs");
  const path = join(folder, "actor.sock");
  const server = createServer((socket) => accept(new NodeLocalSocket(socket)));
  // Who asked for it keeps its process alive, not the door.
  server.unref();
  const close = (): void => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return await new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      close();
      reject(cause);
    });
    server.listen(path, () => resolve({ path, close }));
  });
}

class NodeLocalSocket implements LocalSocket {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    // `close` follows.
    socket.on("error", () => {});
  }

  attach(handler: LocalSocketHandler): void {
    this.#socket.on("data", (bytes) => handler.data(bytes));
    this.#socket.on("close", () => handler.closed());
  }

  write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }
}
