/**
 * ServedFile: an actor's file in a helper process: its connection, the log's descriptor, and the sync of each batch.
 *
 * Nobody else opens the file while it is open here: the connection keeps SQLite's lock for as long as it lives, so that a
 * helper that outlives its runtime (it was stopped, and the runtime killed) keeps the next one out, instead of writing
 * behind its back. The lock goes with the process.
 *
 * Whoever asks waits for the answer, and nobody else is here: syncs and checkpoints are done on this thread.
 */
import { existsSync, fdatasyncSync, fstatSync } from "node:fs";
import { dirname } from "node:path";
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { Batch } from "../../../ports/storage.ts";
import { DataFile } from "../data-file.ts";
import { syncDirectory } from "../files.ts";
import { createOwnFile, openOwnFile } from "../own/own-database-file.ts";
import { forgetSpare } from "../own/own-paths.ts";
import { cutError, WalDescriptor } from "../wal-descriptor.ts";
import type { OpenQuestion } from "./helper-messages.ts";
import { ServedDatabase } from "./served-database.ts";
import { SyncFailed } from "./sync-failed.ts";

const SYNC_INTERVAL_MS = 1_000;
const PAGE_BYTES = 4_096;

const afterTurn: Env["afterTurn"] = (task) => void setImmediate(task);
/** The runtime is told of the error, and keeps the health of its data directory. */
const nobodysHealth = { found: () => {}, missing: () => {} };

/** One actor's file. */
export class ServedFile extends ServedDatabase {
  readonly #file: DataFile;
  readonly #durability: OpenQuestion["durability"];
  readonly #log: WalDescriptor;
  /** Until the file's name in the directory is durable. */
  #spare: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Pages in the log that no checkpoint has moved, from above; and how long the log's file was at the last one. */
  #pages = 0;
  #passedEnd = 0;

  /** Opens the file, or makes it of the spare. Throws `storage.*`. */
  constructor({ path, spare, durability }: OpenQuestion) {
    const file = new DataFile(path, nobodysHealth);
    super(
      spare === undefined || existsSync(path)
        ? openOwnFile(file, afterTurn, "nobody else")
        : createOwnFile(file, spare, afterTurn, "nobody else"),
    );
    this.#file = file;
    this.#durability = durability;
    this.#spare = spare;
    try {
      // The log is there from the first look at the file on.
      this.connection.alarm();
      if (spare === undefined) this.connection.checkStored();
      this.#log = new WalDescriptor(path);
    } catch (error) {
      this.connection.database.close();
      throw file.error(error);
    }
  }

  /** Throws `SyncFailed`; with any other error nothing of the batch is there. */
  commit(batch: Batch): void {
    const connection = this.connection;
    if (batch.rows.length === 0 && batch.alarm === undefined && !connection.inTransaction) {
      connection.checkWhole();
      return;
    }
    this.#log.verify();
    try {
      connection.commit(batch);
    } catch (error) {
      throw this.#file.ofWrite(error);
    }
    this.#makeDurable();
    this.#pages += connection.takeChanges() + batch.rows.length;
    if (this.#logIsLong()) this.#checkpoint();
  }

  /** SQLite moves the log into the file, syncs it, and deletes the log. */
  close(): void {
    clearTimeout(this.#timer);
    this.abandon();
    this.#log.close();
    this.connection.database.close();
  }

  #makeDurable(): void {
    try {
      this.#log.wrote();
      if (this.#durability === "commit") this.#sync();
      // What it throws ends the process: whoever is told of a batch meanwhile has been told that it may be lost.
      else this.#timer ??= setTimeout(() => this.#sync(), SYNC_INTERVAL_MS);
    } catch (cause) {
      throw new SyncFailed(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }

  #sync(): void {
    this.#timer = undefined;
    fdatasyncSync(this.#log.fd);
    // SQLite writes to a descriptor that it opened: one whose file is gone, or was cut, succeeds and means nothing.
    const { nlink, size } = fstatSync(this.#log.fd);
    if (nlink === 0 || size < this.#log.end) throw cutError(this.#log.file.path);
    if (this.#spare === undefined) return;
    syncDirectory(dirname(this.#file.path));
    forgetSpare(this.#spare);
    this.#spare = undefined;
  }

  /** From above: a change is a page, and what is more than that makes the log's file longer. */
  #logIsLong(): boolean {
    return Math.max(this.#log.end - this.#passedEnd, this.#pages * PAGE_BYTES) > limits.ownLogBytes;
  }

  /** Moves the log into the file: SQLite starts it over. One that fails is tried again as much later. */
  #checkpoint(): void {
    this.#pages = 0;
    this.#passedEnd = this.#log.end;
    try {
      this.connection.database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // The log grows until one succeeds.
    }
  }
}
