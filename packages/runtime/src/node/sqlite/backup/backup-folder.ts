/** backupFolder: a backup of a data folder that no process has. It is locked meanwhile, so that none begins to. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Env } from "@troupe/base";
import { backupErrors } from "../../../backup-errors.ts";
import type { BackupOptions, BackupSummary } from "../../../ports/backup.ts";
import { DataLock } from "../data-lock.ts";
import { backupData } from "./data-backup.ts";

/** Which folder, and where to. */
export interface FolderBackup extends BackupOptions {
  readonly env: Pick<Env, "clock" | "timers" | "log">;
  readonly dataDir: string;
  readonly to: string;
}

/** Rejects with `storage.locked`, and as `backupData` does. */
export async function backupFolder(options: FolderBackup): Promise<BackupSummary> {
  const { env, dataDir } = options;
  if (!existsSync(join(dataDir, "manifest.json"))) throw backupErrors.noData(dataDir);
  const lock = await DataLock.acquire({ env, dataDir, waitMs: 0 });
  try {
    return await backupData({ ...options, aside: (_actorId, copy) => copy() });
  } finally {
    lock.release();
  }
}
