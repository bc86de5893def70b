/** Errors of backups: how they are made, read and restored. They are for whoever runs the server, and name paths. */
import { error } from "./new-error.ts";

const DOCS = "docs/backup.md";

/** Throwables by their code. */
export const backupErrors = {
  targetExists: (path: string) =>
    error(409, "backup", "target_exists", `${path} is already there: name a folder that isn't`, {
      metadata: { path },
    }),
  noParent: (path: string) =>
    error(400, "backup", "no_parent", `${path} is no folder: make it, or mount what it should be on`, {
      metadata: { path },
    }),
  insideData: (path: string, dataDir: string) =>
    error(
      400,
      "backup",
      "inside_data",
      `${path} is in the data folder ${dataDir}: name a place outside of it, best on another disk`,
      { metadata: { path, dataDir } },
    ),
  running: () =>
    error(409, "backup", "running", "A backup of this data is being made: try again when it has ended", {
      retryable: true,
    }),
  logTooLong: (path: string, bytes: number) =>
    error(
      503,
      "backup",
      "log_too_long",
      `While ${path} was copied more than ${bytes} bytes were written to it: make the backup when less is written, or to a faster disk`,
      { retryable: true, metadata: { path, bytes } },
    ),
  fileBusy: (actorId: string) =>
    error(
      503,
      "backup",
      "file_busy",
      `The file of actor ${actorId} was never at rest: the actor held a transaction each time. Try again`,
      { retryable: true, metadata: { actorId } },
    ),
  damaged: (path: string, detail: string) =>
    error(
      500,
      "backup",
      "source_damaged",
      `${path} is damaged: ${detail}. No backup was made, keep the older ones; troupe doctor says more (${DOCS})`,
      { metadata: { path, detail } },
    ),
  noBackup: (path: string, detail: string) =>
    error(400, "backup", "not_a_backup", `${path} is no whole backup: ${detail}`, {
      metadata: { path, detail },
    }),
  newer: (path: string, found: number, supported: number) =>
    error(
      400,
      "backup",
      "newer_format",
      `${path} was made by a newer Troupe (format ${found}; this one knows ${supported}): restore it with that version`,
      { metadata: { path, found, supported } },
    ),
  wrongDigest: (path: string) =>
    error(
      500,
      "backup",
      "wrong_digest",
      `${path} isn't what was backed up: its digest is another one. Nothing was restored; take another backup`,
      { metadata: { path } },
    ),
  folderInUse: (path: string) =>
    error(
      409,
      "backup",
      "folder_in_use",
      `${path} isn't empty: move it away (keep it until you have looked at what was restored), or restore into another folder`,
      { metadata: { path } },
    ),
  noData: (path: string) =>
    error(404, "backup", "no_data", `${path} is no data folder: it has no manifest.json`, {
      metadata: { path },
    }),
  noServer: (owner: string) =>
    error(
      409,
      "backup",
      "no_server",
      `The data folder is in use by ${owner}, which can't be asked from here: run this command where that process runs, as its user, or stop it`,
      { metadata: { owner } },
    ),
  serverLost: () =>
    error(503, "backup", "server_lost", "The server ended before the backup was whole: there is none", {
      retryable: true,
    }),
};
