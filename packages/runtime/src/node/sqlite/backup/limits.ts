/** Limits of backups. Sizes are bytes, times milliseconds. */
export const backupLimits = {
  /** Pages that are copied in one step; between steps a backup can be ended, and says how far it is. */
  pagesAStep: 2_048,
  /**
   * What is written to one database while it is copied: its log can't start over meanwhile. Past it the backup ends with
   * `backup.log_too_long`, so that a slow target doesn't fill the disk of the data.
   */
  logBytes: 1024 * 1024 * 1024,
  /** How often a file whose actor is in a transaction is asked for, before the backup ends with `backup.file_busy`. */
  fileTries: 1_000,
  /** Between two of those. */
  fileTryMs: 20,
  /** Whoever makes a folder has its lock sooner than that: an older one without was left by a killed process. */
  lockMs: 60_000,
  /** The list of a backup's files: a longer one isn't read. 2 million actors with a database. */
  listBytes: 512 * 1024 * 1024,
  /** One message on the socket of a server that is asked for a backup. */
  messageBytes: 64 * 1024,
};
