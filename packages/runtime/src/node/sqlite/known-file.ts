/**
 * KnownFile: a file that must stay where it was opened.
 *
 * SQLite and the disk thread hold descriptors, and a descriptor doesn't mind what becomes of its path: what is written
 * to a log that was moved away is synced and acknowledged, and no later start finds it; a lock whose file was deleted
 * is still held, and the next process takes the one that it makes itself. Nothing of that can be repaired from inside,
 * so a path that names another file, or none, counts as a failed sync.
 *
 * Worker threads import this file too, so it depends on nothing of ours.
 */
import { type BigIntStats, statSync } from "node:fs";
import { resolve } from "node:path";

/** What a path named when it was opened. */
export interface KnownFile {
  /** Absolute: a `chdir` doesn't displace anything. */
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/** The file at `path`, which must exist. `stats`: of the descriptor that it was opened with, if there is one. */
export function knownFile(path: string, stats: BigIntStats = statSync(path, { bigint: true })): KnownFile {
  return { path: resolve(path), device: stats.dev, inode: stats.ino };
}

/** True when the path names another file now, or none. */
export function isDisplaced(file: KnownFile): boolean {
  const found = statSync(file.path, { bigint: true, throwIfNoEntry: false });
  return found === undefined || found.ino !== file.inode || found.dev !== file.device;
}

/** What to say of a file that is displaced. */
export function displacedError(file: KnownFile | undefined): Error {
  return new Error(`${file?.path ?? "a file"} was deleted, moved or replaced under the process`);
}
