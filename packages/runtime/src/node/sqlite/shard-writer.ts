/**
 * ShardWriter: one group of batches, one transaction.
 *
 * Everything is a prepared statement. Rows to put, and new actors, are gathered over the whole group and go several to
 * a statement. Their order doesn't matter: an actor has one batch in a group, and a batch names a key once. What
 * changes an actor's own row is written behind the new actors.
 */
import { crc32 } from "node:zlib";
import type { Batch } from "../../ports/storage.ts";
import type { Write } from "../../storage/commit-file.ts";
import { PAGE_SIZE } from "./layout.ts";
import { MultiInsert } from "./multi-insert.ts";
import type { CreateTarget, ShardActor, ShardTarget, SweepTarget } from "./shard-target.ts";
import type { Database, Statement } from "./sqlite.ts";

/** Rows of a destroyed actor that one transaction deletes. */
const ROWS_PER_SWEEP = 256;

/** The check value of a row. The actor's number is in it, so that a row under a wrong actor is noticed too. */
export function rowCrc(actorNumber: number, value: Uint8Array): number {
  return crc32(value, actorNumber >>> 0);
}

/** All that is written to a shard. */
export class ShardWriter {
  readonly #database: Database;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #puts: MultiInsert;
  readonly #creates: MultiInsert;
  readonly #deleteRow: Statement;
  readonly #setAlarm: Statement;
  readonly #destroy: Statement;
  readonly #sweepRows: Statement;
  readonly #sweepActor: Statement;
  #bytes = 0;

  constructor(database: Database) {
    this.#database = database;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#puts = new MultiInsert(database, {
      table: "rows",
      columns: ["actor", "key", "value", "crc"],
      conflict: "ON CONFLICT DO UPDATE SET value = excluded.value, crc = excluded.crc",
    });
    this.#creates = new MultiInsert(database, {
      table: "actors",
      columns: ["number", "id", "namespace", "name", "key", "created_at", "own_file"],
    });
    this.#deleteRow = database.prepare("DELETE FROM rows WHERE actor = ? AND key = ?");
    this.#setAlarm = database.prepare(
      "UPDATE actors SET alarm = ? WHERE number = ? AND destroyed_at IS NULL",
    );
    this.#destroy = database.prepare("UPDATE actors SET destroyed_at = ?, alarm = NULL WHERE number = ?");
    this.#sweepRows = database.prepare(
      `DELETE FROM rows WHERE actor = ?1 AND key IN (SELECT key FROM rows WHERE actor = ?1 LIMIT ${ROWS_PER_SWEEP})`,
    );
    this.#sweepActor = database.prepare("DELETE FROM actors WHERE number = ?");
  }

  /**
   * Returns about how many bytes went into the log. When it throws, nothing was written. `ending` is told how many they are
   * going to be, while the transaction still holds the lock of writers.
   */
  write(writes: readonly Write<ShardTarget>[], ending?: (bytes: number) => void): number {
    this.#bytes = PAGE_SIZE;
    try {
      this.#begin.run();
      for (const { target, batch } of writes) this.#apply(target, batch);
      this.#creates.flush();
      this.#puts.flush();
      ending?.(this.#bytes);
      this.#commit.run();
    } catch (error) {
      this.#rollback();
      const [only] = writes;
      if (writes.length === 1 && only?.target.kind === "create") only.target.actor.failure = error;
      throw error;
    }
    return this.#bytes;
  }

  #apply(target: ShardTarget, batch: Batch): void {
    if (target.kind === "rows") this.#rows(target.actor, batch);
    else if (target.kind === "create") this.#createActor(target);
    else if (target.kind === "destroy") {
      this.#bytes += 4 * PAGE_SIZE;
      this.#creates.flush();
      this.#destroy.run(target.at, target.actorNumber);
    } else this.#sweep(target);
  }

  #rows(actor: ShardActor, batch: Batch): void {
    if (actor.failure !== undefined) throw actor.failure;
    for (const { key, value } of batch.rows) {
      this.#bytes += PAGE_SIZE;
      if (value === null) {
        this.#deleteRow.run(actor.number, key);
        continue;
      }
      this.#bytes += value.byteLength;
      this.#puts.add(actor.number, key, value, rowCrc(actor.number, value));
    }
    if (batch.alarm !== undefined) {
      this.#bytes += 2 * PAGE_SIZE;
      this.#creates.flush();
      this.#setAlarm.run(batch.alarm, actor.number);
    }
  }

  #createActor({ actor, record, keyText, ownFile }: CreateTarget): void {
    this.#bytes += 4 * PAGE_SIZE;
    const { id, namespace, name, createdAt } = record;
    // It may be tried again.
    actor.failure = undefined;
    this.#creates.add(actor.number, id, namespace, name, keyText, createdAt, ownFile ? 1 : null);
  }

  #sweep(target: SweepTarget): void {
    const swept = Number(this.#sweepRows.run(target.actorNumber).changes);
    this.#bytes += (swept + 4) * PAGE_SIZE;
    target.finished = swept < ROWS_PER_SWEEP;
    if (target.finished) this.#sweepActor.run(target.actorNumber);
  }

  #rollback(): void {
    this.#puts.clear();
    this.#creates.clear();
    // SQLite itself has rolled back after some errors (a full disk, I/O).
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }
}
