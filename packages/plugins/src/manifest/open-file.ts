/** A file that somebody else names, opened for reading: whoever opens a pipe waits for its other end, for ever if there is none. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { constants as system } from "node:os";

/** Opens what is there, if it is a file. `flags` beside reading. Rejects as the file system does. */
export async function openFile(path: string, flags = 0): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw Object.assign(new Error(`EINVAL: it is no file, open '${path}'`), {
      code: "EINVAL",
      errno: -system.errno.EINVAL,
    });
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}
