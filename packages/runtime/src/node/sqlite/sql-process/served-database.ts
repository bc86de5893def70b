/**
 * ServedDatabase: what a helper is asked of an actor's database, on its connection. The runtime holds the batch, and says of
 * each text whether it may write.
 */
import type { BindParams, ExecuteResult, SqlStatement } from "@troupe/protocol";
import type { Batch, Row, RowRange } from "../../../ports/storage.ts";
import { sqlErrors } from "../../../sql/errors.ts";
import type { OwnConnection, OwnSavepoint } from "../own/own-connection.ts";
import { OwnSql } from "../own/own-sql.ts";

/** The runtime's clock is the watch here. */
const unwatched = { begin: () => {}, end: () => {} };

/** Ends a statement that writes before it has begun. */
class NotYet extends Error {}

/** The database of one actor, in a helper. */
export abstract class ServedDatabase {
  protected readonly connection: OwnConnection;
  readonly #sql: OwnSql;
  readonly #savepoints = new Map<number, OwnSavepoint>();
  #mayWrite = false;

  constructor(connection: OwnConnection) {
    this.connection = connection;
    this.#sql = new OwnSql({
      actorId: "",
      connection: () => connection,
      watch: unwatched,
      wrote: () => {
        if (!this.#mayWrite) throw new NotYet();
      },
      // The runtime holds the batch.
      hold: () => () => {},
    });
  }

  /** Stores the batch. With any error but `SyncFailed` nothing of it is there. */
  abstract commit(batch: Batch): void;

  /** Gives the file back. What no batch has stored is undone. */
  abstract close(): void;

  /** There is something that no batch has stored. */
  get pending(): boolean {
    return this.connection.inTransaction;
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

  batch(statements: readonly SqlStatement[]): readonly ExecuteResult[] {
    this.#mayWrite = true;
    return this.#sql.batch(statements);
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
    return this.connection.load();
  }

  read(keys: readonly string[]): (Uint8Array | undefined)[] {
    return this.connection.read(keys);
  }

  list(range: RowRange): Row[] {
    return this.connection.list(range);
  }

  abandon(): void {
    this.connection.abandon();
    this.#savepoints.clear();
  }

  #take(number: number): OwnSavepoint {
    const savepoint = this.#savepoints.get(number);
    if (savepoint === undefined) throw sqlErrors.transactionEnded();
    this.#savepoints.delete(number);
    return savepoint;
  }
}
