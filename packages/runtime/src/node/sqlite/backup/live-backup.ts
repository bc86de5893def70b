/** LiveBackup: backups of a data folder by the process that has it. One at a time. */
import type { Env } from "@troupe/base";
import { backupErrors } from "../../../backup-errors.ts";
import { storageErrors } from "../../../errors.ts";
import type { BackupOptions, BackupSummary } from "../../../ports/backup.ts";
import { backupData, type CopyAside } from "./data-backup.ts";

/** What it is made of. */
export interface LiveBackupOptions {
  readonly env: Pick<Env, "clock" | "timers" | "log">;
  readonly dataDir: string;
  readonly aside: CopyAside;
}

/** The backups of one open store. */
export class LiveBackup {
  readonly #options: LiveBackupOptions;
  readonly #closing = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(options: LiveBackupOptions) {
    this.#options = options;
  }

  /** Rejects with `backup.running`, and as `backupData` does. */
  readonly make = async (to: string, options: BackupOptions = {}): Promise<BackupSummary> => {
    this.#closing.signal.throwIfAborted();
    if (this.#running !== undefined) throw backupErrors.running();
    const { signal } = options;
    const either =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const backup = backupData({ ...this.#options, ...options, to, signal: either });
    const over = backup.then(
      () => {},
      () => {},
    );
    this.#running = over;
    try {
      return await backup;
    } finally {
      this.#running = undefined;
    }
  };

  /** The one that runs ends, and leaves nothing; none begins any more. */
  async close(): Promise<void> {
    this.#closing.abort(storageErrors.closed());
    await this.#running;
  }
}
