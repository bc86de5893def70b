/**
 * ServedFile: an actor's file in a helper process: its connection, the log's descriptor, and the sync of each batch.
 *
 * Nobody else opens the file while it is open here: the connection keeps SQLite's lock for as long as it lives, so that a
 * helper that outlives its runtime (it was stopped, and the runtime killed) keeps the next one out, instead of writing
 * behind its back. The lock goes with the process.
 *
 * Whoever asks waits for the answer, and nobody else is here: syncs and checkpoints are done on this thread.
 */
import { fdatasyncSync, fstatSync } from "node:fs";
import { dirname } from "node:path";
import type { Env } from "@troupe/base";
import { type BindParams, type ExecuteResult, limits } from "@troupe/protocol";
import type { Batch, Row, RowRange } from "../../../ports/storage.ts";
import { sqlErrors } from "../../../sql/errors.ts";
import { DataFile } from "../data-file.ts";
import { DataHealth } from "../data-health.ts";
import { syncDirectory } from "../files.ts";
import type { OwnConnection, OwnSavepoint } from "../own/own-connection.ts";
import { createOwnFile, openOwnFile } from "../own/own-database-file.ts";
import { OwnSql } from "../own/own-sql.ts";
import { isDamage } from "../sqlite.ts";
import { cutError, WalDescriptor } from "../wal-descriptor.ts";
import type { OpenQuestion } from "./helper-messages.ts";
import { SyncFailed } from "./sync-failed.ts";

const SYNC_INTERVAL_MS = 1_000;
const PAGE_BYTES = 4_096;

const afterTurn: Env["afterTurn"] = (task) => void setImmediate(task);
/** The runtime is told of the error, and keeps the health of its data directory. */
const nobodysHealth = new DataHealth({ error: () => {} });
/** The runtime's clock is the watch here. */
const unwatched = { begin: () => {}, end: () => {} };

/** Ends a statement that writes before it has begun. */
class NotYet extends Error {}

/** One actor's file. */
export class ServedFile {
  readonly #file: DataFile;
  readonly #durability: OpenQuestion["durability"];
  readonly #connection: OwnConnection;
  readonly #log: WalDescriptor;
  readonly #sql: OwnSql;
  readonly #savepoints = new Map<number, OwnSavepoint>();
  #entry: OpenQuestion["entry"];
  #mayWrite = false;
  #timer: NodeJS.Timeout | undefined;
  /** Pages in the log that no checkpoint has moved, from above; and how long the log's file was at the last one. */
  #pages = 0;
  #passedEnd = 0;

  /** Opens the file, or makes it of the spare. Throws `storage.*`. */
  constructor({ path, spare, entry, durability }: OpenQuestion) {
    this.#file = new DataFile(path, nobodysHealth);
    this.#durability = durability;
    this.#entry = entry;
    this.#connection =
      spare === undefined
        ? openOwnFile(this.#file, afterTurn, "nobody else")
        : createOwnFile(this.#file, spare, afterTurn, "nobody else");
    try {
      // The log is there from the first look at the file on.
      this.#connection.alarm();
      this.#log = new WalDescriptor(path);
    } catch (error) {
      this.#connection.database.close();
      throw this.#file.error(error);
    }
    this.#sql = new OwnSql({
      actorId: "",
      connection: () => this.#connection,
      watch: unwatched,
      wrote: () => {
        if (!this.#mayWrite) throw new NotYet();
      },
      // The runtime holds the batch.
      hold: () => () => {},
    });
  }

  /** There is something that no batch has stored. */
  get pending(): boolean {
    return this.#connection.inTransaction;
  }

  /** `undefined`: it would write, and may not yet. What it has only read may run again. */
  execute(sql: string, params: BindParams, mayWrite: boolean): ExecuteResult | undefined {
    this.#mayWrite = mayWrite;
    try {
      return this.#sql.execute(sql, params);
    } catch (cause) {
      if (cause instanceof NotYet) return undefined;
      throw cause;
    }
  }

  savepoint(number: number): void {
    this.#mayWrite = true;
    this.#savepoints.set(number, this.#sql.savepoint());
  }

  release(number: number): void {
    this.#take(number).release();
  }

  rollback(number: number): void {
    this.#take(number).rollback();
  }

  load(): Row[] {
    return this.#connection.load();
  }

  read(keys: readonly string[]): (Uint8Array | undefined)[] {
    return this.#connection.read(keys);
  }

  list(range: RowRange): Row[] {
    return this.#connection.list(range);
  }

  /** Throws `SyncFailed`; with any other error nothing of the batch is there. */
  commit(batch: Batch): void {
    const connection = this.#connection;
    if (batch.rows.length === 0 && batch.alarm === undefined && !connection.inTransaction) {
      connection.checkWhole();
      return;
    }
    this.#log.verify();
    try {
      connection.commit(batch);
    } catch (error) {
      throw isDamage(error) ? this.#file.error(error) : error;
    }
    this.#makeDurable();
    this.#pages += connection.takeChanges() + batch.rows.length;
    if (this.#logIsLong()) this.#checkpoint();
  }

  abandon(): void {
    this.#connection.rollback();
    this.#savepoints.clear();
  }

  /** SQLite moves the log into the file, syncs it, and deletes the log. */
  close(): void {
    clearTimeout(this.#timer);
    this.abandon();
    this.#log.close();
    this.#connection.database.close();
  }

  #take(number: number): OwnSavepoint {
    const savepoint = this.#savepoints.get(number);
    if (savepoint === undefined) throw sqlErrors.transactionEnded();
    this.#savepoints.delete(number);
    return savepoint;
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
    if (this.#entry === "new") syncDirectory(dirname(this.#file.path));
    this.#entry = "durable";
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
      this.#connection.database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // The log grows until one succeeds.
    }
  }
}
