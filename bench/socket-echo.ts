/**
 * The floor of a worker's call: as many bytes to another process and back over a bare Unix socket. Nearly all of it is two wakes, which
 * cost one machine, or one hour of it, several times what they cost another.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { median } from "./statistics.ts";

/** What a call of a worker's actor with 100 bytes has on its socket. */
const BYTES = 136;

/** The p50 of a round trip, in ms. `folder`: where the socket may lie. */
export async function socketEcho(folder: string, calls: number): Promise<number> {
  const path = join(folder, "floor.sock");
  const server = createServer().listen(path);
  const program = `require("node:net").connect(process.argv[1]).on("data", function (bytes) { this.write(bytes); });`;
  const child = spawn(process.execPath, ["-e", program, path], { stdio: "ignore" });
  const [socket]: Socket[] = await once(server, "connection");
  if (socket === undefined) throw new Error("nobody connected");
  try {
    await roundTrips(socket, calls / 5);
    return median(await roundTrips(socket, calls));
  } finally {
    const exited = once(child, "exit");
    socket.destroy();
    server.close();
    await exited;
  }
}

async function roundTrips(socket: Socket, calls: number): Promise<number[]> {
  const bytes = Buffer.alloc(BYTES, 7);
  let answered: () => void = () => {};
  let missing = 0;
  const heard = (chunk: Buffer): void => {
    missing -= chunk.length;
    if (missing === 0) answered();
  };
  socket.on("data", heard);
  const times: number[] = [];
  for (let n = 0; n < calls; n += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    answered = resolve;
    missing = BYTES;
    const before = performance.now();
    socket.write(bytes);
    await promise;
    times.push(performance.now() - before);
  }
  socket.off("data", heard);
  return times;
}
