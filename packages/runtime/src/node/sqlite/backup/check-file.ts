/** checkFile: whether a file of a backup is what was backed up, and on the way a copy of it. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { backupErrors } from "../../../backup-errors.ts";
import type { ListedFile } from "./backup-list.ts";

/** Where it is, and where a copy of it goes, if there is to be one. */
export interface CheckedFolders {
  readonly folder: string;
  readonly copyTo?: string;
}

const CHUNK_BYTES = 1024 * 1024;

/** Settles when the copy is durable. Rejects with `backup.wrong_digest`, `backup.not_a_backup`. */
export async function checkFile(file: ListedFile, { folder, copyTo }: CheckedFolders): Promise<void> {
  const path = join(folder, file.path);
  if (!existsSync(path)) throw backupErrors.noBackup(folder, `${file.path} is missing`);
  await using source = await open(path, "r");
  await using target = copyTo === undefined ? undefined : await open(join(copyTo, file.path), "wx");
  if ((await digestOf(source, target)) !== file.digest) throw backupErrors.wrongDigest(path);
  await target?.sync();
}

async function digestOf(source: FileHandle, target: FileHandle | undefined): Promise<string> {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES);
    if (bytesRead === 0) return hash.digest("hex");
    const read = chunk.subarray(0, bytesRead);
    hash.update(read);
    if (target !== undefined) await writeAll(target, read);
  }
}

async function writeAll(target: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    const { bytesWritten } = await target.write(rest);
    rest = rest.subarray(bytesWritten);
  }
}
