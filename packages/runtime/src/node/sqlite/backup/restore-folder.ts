/**
 * restoreFolder: makes a data folder of a backup. Every file is copied first, and its digest compared while it is; the folder
 * gets its name when all of them are what was backed up. The backup stays as it is.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Env } from "@troupe/base";
import { backupErrors } from "../../../backup-errors.ts";
import type { BackupProgress, BackupSummary } from "../../../ports/backup.ts";
import { dataErrors } from "../data-errors.ts";
import { DataLock } from "../data-lock.ts";
import { fileError, syncDirectory } from "../files.ts";
import { OWN_FOLDER } from "../shard-name.ts";
import { readList } from "./backup-list.ts";
import { checkFile } from "./check-file.ts";
import { WholeFolder } from "./whole-folder.ts";

/** Which backup, and where to. */
export interface FolderRestore {
  readonly env: Pick<Env, "clock" | "timers" | "log">;
  /** The backup's folder. */
  readonly from: string;
  /** Isn't there, or is empty. */
  readonly dataDir: string;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** Rejects with `backup.*`, `storage.locked`, `storage.newer_layout` and their like; then the folder is as it was. */
export async function restoreFolder(options: FolderRestore): Promise<BackupSummary> {
  const { env, onProgress } = options;
  const from = resolve(options.from);
  const dataDir = resolve(options.dataDir);
  const list = readList(from);
  if (DataLock.isHeld(dataDir)) throw dataErrors.locked(DataLock.owner(dataDir));
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0) throw backupErrors.folderInUse(dataDir);
  try {
    await using folder = await WholeFolder.make(dataDir, env);
    mkdirSync(join(folder.path, OWN_FOLDER));
    const done = { files: 0, bytes: 0 };
    for (const file of list.files) {
      await checkFile(file, { folder: from, copyTo: folder.path });
      done.files += 1;
      done.bytes += file.bytes;
      onProgress?.({ ...done });
    }
    syncDirectory(join(folder.path, OWN_FOLDER));
    folder.finish();
    return {
      ...done,
      path: dataDir,
      startedAt: Date.parse(list.startedAt),
      endedAt: Date.parse(list.endedAt),
    };
  } catch (error) {
    throw fileError(dataDir, error);
  }
}
