/** What a store says of a backup of itself. */

/** How a backup is made. */
export interface BackupOptions {
  /** Ends it: nothing of it stays, and it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called behind each step, a few MiB or a file, with what was copied so far. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** What was copied so far. */
export interface BackupProgress {
  readonly files: number;
  readonly bytes: number;
}

/** A backup that is whole and durable. */
export interface BackupSummary {
  /** Its folder, absolute. */
  readonly path: string;
  /** Wall clock, ms: what was acknowledged before is in it. */
  readonly startedAt: number;
  /** Wall clock, ms: nothing in it is younger. */
  readonly endedAt: number;
  readonly files: number;
  readonly bytes: number;
}

/** Copies a store, while it is in use, into a folder that isn't there yet. */
export type MakeBackup = (to: string, options?: BackupOptions) => Promise<BackupSummary>;
