/**
 * WalDescriptor: the descriptor through which a shard's write-ahead log is synced.
 *
 * It is opened after the connection's first write, when SQLite has surely made the file, and closed before the
 * connection. SQLite deletes a log at the last close, and a sync through a descriptor of a deleted file succeeds and
 * means nothing: the disk thread looks at the link count after each sync, and `verify` compares the inode with what
 * the path names now. A log that was replaced under a living connection can't be repaired: whatever SQLite writes goes
 * to a file that no later start will find, so it counts as a failed sync.
 */
import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { syncDirectory } from "./files.ts";

/** The descriptor that one shard's log is synced by. */
export class WalDescriptor {
  readonly #path: string;
  #open: { readonly fd: number; readonly inode: bigint } | undefined;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-wal`;
  }

  /** The descriptor's number. The first time it opens the log, which must exist, and makes its entry durable. */
  get(): number {
    if (this.#open === undefined) {
      const fd = openSync(this.#path, "r+");
      this.#open = { fd, inode: fstatSync(fd, { bigint: true }).ino };
      syncDirectory(dirname(this.#path));
    }
    return this.#open.fd;
  }

  /** Throws when the path doesn't name the log that the descriptor syncs. */
  verify(): void {
    if (this.#open === undefined) return;
    const named = statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino;
    if (named !== this.#open.inode)
      throw new Error(`${this.#path} was replaced or deleted under the process`);
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }
}
