/** Small durable files beside the databases, and what goes wrong with files, as typed errors. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { storageErrors } from "../../errors.ts";
import { isOutOfDescriptors, lacksDescriptors, tooManyOpenFiles } from "../descriptors.ts";
import { dataErrors } from "./data-errors.ts";
import { isDamage, sqliteCode, sqliteCodes } from "./sqlite.ts";

/** Makes the directory's entries durable: a file whose entry was never synced is gone after a power cut. */
export function syncDirectory(path: string): void {
  if (process.platform === "win32") return; // Windows opens no directories; NTFS journals entries.
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes `path` and its missing parents, durably. (Node's own `recursive` never returns where a file system answers
 * ENOENT in an existing directory, as /proc does.)
 */
export function makeDirectory(path: string): void {
  const full = resolve(path);
  if (statSync(full, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = dirname(full);
  if (parent !== full) makeDirectory(parent);
  mkdirSync(full);
  syncDirectory(parent);
}

/** Replaces the file as a whole: after a crash it holds the old text or the new one. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  const fd = openSync(temporary, "w");
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

const READ_ONLY = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST"]);
const FULL = new Set(["ENOSPC", "EDQUOT"]);
/** A path component, or the path itself, is a file. */
const NO_DIRECTORY = new Set(["ENOTDIR", "EEXIST"]);
/** SQLite needs no more than this at once to open a file that is in order: its shared memory grows by 32 KiB. */
const PROBE_BYTES = 64 * 1024;

/** The typed error for what {@link makeDirectory} threw. */
export function directoryError(path: string, cause: unknown): TroupeError {
  return NO_DIRECTORY.has(nameOf(cause)) ? dataErrors.notADirectory(path) : fileError(path, cause);
}

/** The typed error for what the file system or SQLite threw about `path`. */
export function fileError(path: string, cause: unknown): TroupeError {
  if (TroupeError.is(cause)) return cause;
  const name = nameOf(cause);
  const code = sqliteCode(cause);
  if (READ_ONLY.has(name) || code === sqliteCodes.readOnly) return dataErrors.readOnly(path, cause);
  if (FULL.has(name) || code === sqliteCodes.full) return dataErrors.diskFull(path, cause);
  if (lacksDescriptors(cause)) return tooManyOpenFiles(cause);
  // SQLite keeps the file system's reasons to itself: they are asked for.
  if (
    (code === sqliteCodes.cantOpen || code === sqliteCodes.ioError) &&
    isOutOfDescriptors(limits.databaseDescriptors)
  )
    return tooManyOpenFiles(cause);
  // So it is called, too, when a log's shared memory finds no room.
  if (code === sqliteCodes.ioError && isFull(path)) return dataErrors.diskFull(path, cause);
  if (isDamage(cause)) {
    return storageErrors.corrupt(path, cause instanceof Error ? cause.message : String(cause));
  }
  return dataErrors.openFailed(path, cause);
}

/** True when it was thrown for want of room where `path` is. */
export function isFullDisk(path: string, cause: unknown): boolean {
  const code = sqliteCode(cause);
  return (
    (code === sqliteCodes.full || code === sqliteCodes.ioError) && fileError(path, cause).code === "disk_full"
  );
}

function nameOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

/** False when nothing can be written in the directory for want of room or quota. Tried with a file of our own. */
export function hasRoom(directory: string): boolean {
  const probe = join(directory, `.probe-${process.pid}`);
  try {
    const fd = openSync(probe, "w");
    try {
      writeSync(fd, new Uint8Array(PROBE_BYTES));
      // Some file systems look for room only now.
      fsyncSync(fd);
    } finally {
      closeSync(fd);
      rmSync(probe, { force: true });
    }
    return true;
  } catch (error) {
    return !FULL.has(nameOf(error));
  }
}

/** Where `path` is, or in it. */
function isFull(path: string): boolean {
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return !hasRoom(isDirectory ? path : dirname(path));
}
