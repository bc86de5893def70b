/**
 * OwnConnection: the one connection to an actor's file: its rows, its tables, and the transaction around both.
 *
 *   _troupe_rows   what the actor keeps: state, keys, schedules
 *   _troupe_meta   layout version, alarm, and that something was stored once
 *
 * Everything else in the file is the user's. A batch's transaction begins with the first write of its turns, or when it is
 * taken, and ends then.
 */
import { assert, type Env, TroupeError } from "@troupe/base";
import { type ExecuteResult, limits } from "@troupe/protocol";
import {
  type Batch,
  LAZY_END,
  LAZY_START,
  type Row,
  type RowRange,
  type Savepoint,
} from "../../../ports/storage.ts";
import { sqlErrors } from "../../../sql/errors.ts";
import { ListSize } from "../../../storage/list-size.ts";
import { dataErrors } from "../data-errors.ts";
import type { DataFile } from "../data-file.ts";
import { rowCrc } from "../shard-writer.ts";
import type { Database, SqlValue, Statement } from "../sqlite.ts";
import { sqliteCode } from "../sqlite.ts";
import { Authorizer } from "./authorizer.ts";
import type { Bindings } from "./bindings.ts";
import { asNumber, Prepared } from "./prepared.ts";
import { ReadSnapshot } from "./read-snapshot.ts";

/** The layout of an actor's own file. Goes up with every change that older code would misread. */
export const OWN_LAYOUT_VERSION = 1;

/** What is in a new file. */
export const OWN_SCHEMA = `
  CREATE TABLE _troupe_rows (key TEXT PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE _troupe_meta (key TEXT PRIMARY KEY, value INTEGER) STRICT, WITHOUT ROWID;
  INSERT INTO _troupe_meta VALUES ('layout', ${OWN_LAYOUT_VERSION});
`;

/** Statements that are kept prepared. */
const CACHED = 128;
/** Longer ones are prepared each time. Characters. */
const CACHED_LENGTH = 4_096;
/** SQLite's code for what the authorizer refused. */
const SQLITE_AUTH = 23;

/** A savepoint of a database that is at hand. */
export interface OwnSavepoint extends Savepoint {
  release(): void;
  rollback(): void;
}

/** A connection to one actor's file. */
export class OwnConnection {
  readonly database: Database;
  readonly #file: DataFile;
  readonly #authorizer: Authorizer;
  readonly #statements = new Map<string, Prepared>();
  readonly #own = new Map<string, Statement>();
  readonly #snapshot: ReadSnapshot;
  /** The batch's transaction was begun. SQLite may have undone it. */
  #begun = false;
  #logIsNew = false;
  #savepoints = 0;
  #totalChanges = 0;
  /** Goes up when the transaction ends: savepoints of before are gone. */
  #batch = 0;
  /** SQLite undid the batch of the activation that has the connection. */
  #undone: TroupeError | undefined;

  constructor(file: DataFile, database: Database, afterTurn: Env["afterTurn"]) {
    this.#file = file;
    this.database = database;
    this.#snapshot = new ReadSnapshot(database, afterTurn);
    this.#authorizer = new Authorizer(database);
    limitConnection(database);
  }

  /** True while there is something that a batch may store. */
  get inTransaction(): boolean {
    return this.#begun && this.database.isTransaction;
  }

  /** Throws when the layout is newer, or the file isn't one of ours. */
  checkLayout(): void {
    const found = this.#ask(() =>
      this.#statement("SELECT value FROM _troupe_meta WHERE key = 'layout'").get(),
    );
    const layout = Number(found?.["value"]);
    if (!(layout >= 1)) throw this.#file.damaged("it names no layout");
    if (layout > OWN_LAYOUT_VERSION) {
      throw this.#file.error(dataErrors.newer(this.#file.path, layout, OWN_LAYOUT_VERSION));
    }
  }

  /** Throws when nothing was ever stored: of an actor whose creation somebody was told of, what was stored is gone. */
  checkStored(): void {
    const stored =
      "SELECT key FROM _troupe_meta WHERE key = 'stored' UNION ALL SELECT key FROM _troupe_rows LIMIT 1";
    if (this.#ask(() => this.#statement(stored).get()) === undefined)
      throw this.#file.damaged("nothing is stored in it; it lost its log");
  }

  /** The alarm that was last stored. */
  alarm(): number | null {
    const found = this.#ask(() =>
      this.#statement("SELECT value FROM _troupe_meta WHERE key = 'alarm'").get(),
    );
    return typeof found?.["value"] === "number" ? found["value"] : null;
  }

  load(): Row[] {
    const range = "SELECT key, value, crc FROM _troupe_rows WHERE key";
    const sql = `${range} < '${LAZY_START}' UNION ALL ${range} >= '${LAZY_END}'`;
    return this.#ask(() => this.#statement(sql).all()).map((found) => this.#row(found));
  }

  read(keys: readonly string[]): (Uint8Array | undefined)[] {
    const statement = this.#statement("SELECT key, value, crc FROM _troupe_rows WHERE key = ?");
    return keys.map((key) => {
      const found = this.#ask(() => statement.get(key));
      return found === undefined ? undefined : this.#row(found).value;
    });
  }

  list({ start, end, limit, reverse }: RowRange): Row[] {
    const order = reverse ? "DESC" : "ASC";
    const statement = this.#statement(
      `SELECT key, value, crc FROM _troupe_rows WHERE key >= ? AND key < ? ORDER BY key ${order} LIMIT ?`,
    );
    const size = new ListSize();
    return this.#ask(() => {
      const rows: Row[] = [];
      for (const found of statement.iterate(start, end, limit)) {
        const row = this.#row(found);
        size.add(row.value);
        rows.push(row);
      }
      return rows;
    });
  }

  /** Throws when SQLite undid the batch: nothing goes on before the activation has ended. */
  checkWhole(): void {
    if (this.#undone !== undefined) throw this.#undone;
  }

  /**
   * The file has never had a log. SQLite would sync the head of one by itself, on this thread: it has to where a log
   * starts over, because the frames behind the old head may reach the disk before the new one. Here there is no old head,
   * and the first batch's own sync is awaited before anybody is told of it.
   */
  beginLog(): void {
    this.database.exec("PRAGMA synchronous = OFF");
    this.#logIsNew = true;
  }

  /** Opens the batch's transaction, if it isn't. */
  begin(): void {
    if (this.#begun) return;
    this.#snapshot.end();
    this.#statement("BEGIN IMMEDIATE").run();
    this.#begun = true;
  }

  /** Before a statement that only reads. */
  look(): void {
    if (!this.#begun) this.#snapshot.look();
  }

  /** Puts the batch's rows to what its turns have written, and ends the transaction. When it throws, nothing is there. */
  commit(batch: Batch): void {
    try {
      this.checkWhole();
      assert(this.#savepoints === 0, "no batch is taken while there is a savepoint");
      this.begin();
      this.#put(batch);
      if (this.#logIsNew) this.database.exec("INSERT OR IGNORE INTO _troupe_meta VALUES ('stored', 1)");
      this.#statement("COMMIT").run();
      this.#begun = false;
      if (this.#logIsNew) this.database.exec("PRAGMA synchronous = NORMAL");
      this.#logIsNew = false;
      this.#batch += 1;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Undoes what no batch has stored. */
  rollback(): void {
    this.#snapshot.end();
    if (this.database.isTransaction) this.database.exec("ROLLBACK");
    this.#begun = false;
    // What was prepared over a schema that is undone now would show its columns.
    if (this.#savepoints > 0) this.#statements.clear();
    this.#savepoints = 0;
    this.#batch += 1;
  }

  /** The activation has ended, and what it left is undone. The connection is the next one's, who lost nothing. */
  abandon(): void {
    this.rollback();
    this.#undone = undefined;
  }

  savepoint(): OwnSavepoint {
    this.begin();
    this.#savepoints += 1;
    const depth = this.#savepoints;
    const batch = this.#batch;
    const name = savepointName(depth);
    this.database.exec(`SAVEPOINT ${name}`);
    const end = (sql: string): boolean => {
      if (batch !== this.#batch || !this.database.isTransaction) return false;
      this.database.exec(sql);
      this.#savepoints = depth - 1;
      return true;
    };
    return {
      release: () => {
        this.checkWhole();
        if (!end(`RELEASE ${name}`)) throw sqlErrors.transactionEnded();
      },
      rollback: () => {
        if (end(`ROLLBACK TO ${name}; RELEASE ${name}`)) this.#statements.clear();
      },
    };
  }

  /** The statement that a text is, when it was prepared before and is all of it. */
  known(sql: string): Prepared | undefined {
    const known = this.#statements.get(sql);
    return known?.whole === true ? known : undefined;
  }

  /** The first statement of `sql`; `undefined` when there is none but comments. Throws `sql.*`. */
  prepare(sql: string): Prepared | undefined {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    let made: Prepared;
    try {
      const { result, ...asked } = this.#authorizer.prepare(() => this.database.prepare(sql));
      made = new Prepared(result, asked, sql);
    } catch (error) {
      if (isEmptyText(error)) return undefined;
      throw this.#failure(error);
    }
    if (sql.length <= CACHED_LENGTH && !made.schema) {
      if (this.#statements.size >= CACHED) this.#statements.clear();
      this.#statements.set(sql, made);
    }
    // What was prepared before may have other columns from now on.
    if (made.schema) this.#statements.clear();
    return made;
  }

  /** Runs a statement of the user's: what it asks for is looked at. Throws `sql.*`. */
  run(prepared: Prepared, values: Bindings): ExecuteResult {
    this.#authorizer.enter();
    try {
      return prepared.run(values);
    } catch (error) {
      throw this.#failed(error);
    } finally {
      this.#authorizer.leave();
    }
  }

  /** Rows that were changed since the last time, by whomever. */
  takeChanges(): number {
    const found = this.#statement("SELECT total_changes() AS total").get();
    const before = this.#totalChanges;
    this.#totalChanges = Number(found?.["total"]);
    return this.#totalChanges - before;
  }

  /** What the last statement changed. */
  changes(): { readonly changes: number; readonly lastInsertRowId: number | bigint | null } {
    const statement = this.#statement("SELECT changes() AS changes, last_insert_rowid() AS id");
    statement.setReadBigInts(true);
    const found = statement.get();
    return { changes: Number(found?.["changes"]), lastInsertRowId: idOf(found?.["id"]) };
  }

  /** After a failure: what is still there of the batch? */
  #failed(error: unknown): unknown {
    if (!this.#begun || this.database.isTransaction) return this.#failure(error);
    this.#undone = sqlErrors.batchUndone(error);
    return this.#undone;
  }

  #put({ rows, alarm }: Batch): void {
    const put = this.#statement(
      "INSERT INTO _troupe_rows VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, crc = excluded.crc",
    );
    for (const { key, value } of rows) {
      if (value === null) this.#statement("DELETE FROM _troupe_rows WHERE key = ?").run(key);
      else put.run(key, value, rowCrc(0, value));
    }
    if (alarm === undefined) return;
    this.#statement("INSERT OR REPLACE INTO _troupe_meta VALUES ('alarm', ?)").run(alarm);
  }

  #row({ key, value, crc }: Record<string, SqlValue>): Row {
    if (typeof key !== "string" || !(value instanceof Uint8Array) || rowCrc(0, value) !== crc) {
      throw this.#file.damaged(`row "${String(key)}"`);
    }
    return { key, value };
  }

  #statement(sql: string): Statement {
    const known = this.#own.get(sql);
    if (known !== undefined) return known;
    const statement = this.#ask(() => this.database.prepare(sql));
    this.#own.set(sql, statement);
    return statement;
  }

  #ask<Answer>(question: () => Answer): Answer {
    try {
      return question();
    } catch (error) {
      throw this.#file.error(error);
    }
  }

  #failure(error: unknown): unknown {
    const denied = this.#authorizer.takeDenied();
    if (TroupeError.is(error)) return error;
    if (denied !== undefined || sqliteCode(error) === SQLITE_AUTH) {
      return sqlErrors.notAllowed(denied ?? "this statement");
    }
    const told = this.#file.ofWrite(error);
    return told === error ? statementError(error) : told;
  }
}

/** What one statement may make of memory: SQLite's own limits are those of a program that trusts its SQL. */
function limitConnection({ limits: connection }: Database): void {
  connection.length = limits.sqlValueBytes;
  connection.likePatternLength = limits.sqlPatternBytes;
  connection.triggerDepth = limits.sqlTriggerDepth;
  connection.attach = 0;
}

function savepointName(depth: number): string {
  return `_troupe_${depth}`;
}

function idOf(id: SqlValue | undefined): number | bigint | null {
  return typeof id === "bigint" ? asNumber(id) : null;
}

/** node:sqlite refuses a text without a statement by itself: SQLite has nothing to say of it. */
function isEmptyText(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_INVALID_ARG_VALUE";
}

/** The typed error for what SQLite or node:sqlite threw at a statement. */
function statementError(error: unknown): unknown {
  const code = sqliteCode(error);
  if (error instanceof Error && ("code" in error || code !== undefined)) return sqlErrors.failed(error, code);
  return error;
}
