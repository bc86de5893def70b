/**
 * WalDescriptor: the descriptor through which a shard's write-ahead log is synced, and how long that log must be.
 *
 * It is opened when the connection has made the log, and closed before the connection: SQLite deletes a log at the last
 * close, and a sync through a descriptor of a deleted file succeeds and means nothing.
 *
 * While a connection lives, its log never gets shorter: a checkpoint lets SQLite start over at the front, but only
 * TRUNCATE cuts the file, which is for opening and closing, and for a full disk ({@link WalDescriptor.emptied}). A log that did get shorter was cut by somebody else, and
 * must be noticed before the next write: SQLite would go on where it was and leave a hole behind it.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { forCallers } from "./data-errors.ts";
import { fileError } from "./files.ts";
import { type KnownFile, knownFile } from "./known-file.ts";

/** The descriptor that one shard's log is synced by. */
export class WalDescriptor {
  readonly fd: number;
  readonly file: KnownFile;
  #end = 0;

  /** The database must be open, so that its log exists. */
  constructor(databasePath: string) {
    const path = `${databasePath}-wal`;
    try {
      this.fd = openSync(path, "r+");
    } catch (error) {
      throw forCallers(fileError(path, error));
    }
    this.file = knownFile(path, fstatSync(this.fd, { bigint: true }));
  }

  /** The log is never shorter than this, bytes. */
  get end(): number {
    return this.#end;
  }

  /** After each transaction. */
  wrote(): void {
    this.#end = Math.max(this.#end, fstatSync(this.fd).size);
  }

  /** Its owner has cut it, while nothing was on its way. */
  emptied(): void {
    this.#end = 0;
  }

  /** Throws when the log is shorter than it was. */
  verify(): void {
    if (fstatSync(this.fd).size < this.#end) throw cutError(this.file.path);
  }

  /** Not twice. */
  close(): void {
    closeSync(this.fd);
  }
}

/** What to say of a log that is shorter than it was. */
export function cutError(path: string): Error {
  return new Error(`${path} was cut under the process`);
}
