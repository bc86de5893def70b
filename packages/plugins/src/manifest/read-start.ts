/** The beginning of a file. */
import { openFile } from "./open-file.ts";

/** At most `length` bytes of a file, however long it is. Rejects as the file system does. */
export async function readStart(file: string, length: number): Promise<Uint8Array> {
  const handle = await openFile(file);
  try {
    const buffer = Buffer.alloc(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(buffer, filled, length - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await handle.close();
  }
}
