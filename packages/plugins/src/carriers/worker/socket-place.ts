/** Where a worker's socket is: in a folder of its own, which only its user may enter. */
import { join } from "node:path";
import { exampleOfOwnedFolder } from "@troupe/runtime/process";
import { workerErrors } from "./errors.ts";

/** What the folder's name begins with. */
export const WORKER_FOLDER = "troupe-worker";

/** Bytes of a socket's path, by the kernel. */
const SOCKET_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

/** The socket's path in a worker's folder. */
export function socketIn(folder: string): string {
  return join(folder, "host.sock");
}

/** Whether a worker has a place for its socket; nothing is made. Throws `config.no_temporary_folder` and `plugin.worker_no_socket`. */
export async function checkSocketPlace(plugin: string): Promise<void> {
  const socket = socketIn(await exampleOfOwnedFolder(WORKER_FOLDER));
  const length = Buffer.byteLength(socket);
  if (length > SOCKET_PATH_BYTES)
    throw workerErrors.noSocket(plugin, socket, new Error(`its path has ${length} bytes`));
}
