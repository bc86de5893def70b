/**
 * OwnSql: an actor's statements, on the one connection to its file.
 *
 * A statement runs when it is called. The first one of a batch that writes opens the transaction that the batch ends; one
 * that only reads runs inside it, or by itself. After a failure the connection is asked whether its transaction is still
 * there: where it isn't, SQLite has undone all that the batch had written, and the batch fails as a whole.
 *
 * A text that was run before, and is one statement, goes to SQLite at once: what a statement costs besides is what its
 * actor's code pays for each of a thousand.
 */
import {
  type BindParams,
  type ExecuteResult,
  limits,
  type SqlOutcome,
  type SqlStatement,
  utf8Bytes,
} from "@troupe/protocol";
import type { ActorSql } from "../../../ports/storage.ts";
import { BatchResults } from "../../../sql/batch.ts";
import { sqlErrors } from "../../../sql/errors.ts";
import { type Bindings, bind, countOf } from "./bindings.ts";
import type { OwnConnection, OwnSavepoint } from "./own-connection.ts";
import type { Prepared } from "./prepared.ts";
import type { StatementWatch } from "./statement-watch.ts";

const EMPTY: ExecuteResult = { columns: [], rows: [], changes: 0, lastInsertRowId: null };

/** What it needs: the connection, made when it is first used, and who wants to know of writes. */
export interface OwnSqlParts {
  readonly connection: () => OwnConnection;
  readonly wrote: () => void;
  readonly actorId: string;
  readonly watch: Pick<StatementWatch, "begin" | "end">;
  /** No batch is taken until what it returns is called. */
  readonly hold: () => () => void;
}

/** `ActorSql` of one activation. */
export class OwnSql implements ActorSql {
  readonly #parts: OwnSqlParts;

  constructor(parts: OwnSqlParts) {
    this.#parts = parts;
  }

  execute(sql: string, params: BindParams): ExecuteResult {
    const { connection: connect } = this.#parts;
    const connection = connect();
    const known = connection.known(sql);
    if (known === undefined) return this.#executeText(connection, sql, params);
    const values = bind(params);
    connection.checkWhole();
    return this.#watched(connection, known, values);
  }

  /** One that only reads leaves nothing to undo, and nothing to store. */
  batch(statements: readonly SqlStatement[]): readonly ExecuteResult[] {
    if (statements.every(({ sql }) => this.#onlyReads(sql))) return this.#each(statements);
    const savepoint = this.savepoint();
    let results: readonly ExecuteResult[];
    try {
      results = this.#each(statements);
    } catch (error) {
      savepoint.rollback();
      throw error;
    }
    savepoint.release();
    return results;
  }

  series(statements: readonly SqlStatement[], gave: (outcome: SqlOutcome) => void): void {
    for (const { sql, params } of statements) gave(this.#outcome(sql, params));
  }

  savepoint(): OwnSavepoint {
    const connection = this.#parts.connection();
    connection.checkWhole();
    this.#parts.wrote();
    const letGo = this.#parts.hold();
    try {
      return heldSavepoint(connection.savepoint(), letGo);
    } catch (error) {
      letGo();
      throw error;
    }
  }

  #each(statements: readonly SqlStatement[]): readonly ExecuteResult[] {
    const found = new BatchResults();
    for (const { sql, params } of statements) found.add(this.execute(sql, params));
    return found.results;
  }

  /** False also of what can't be prepared yet, or at all: whoever runs it finds out. */
  #onlyReads(sql: string): boolean {
    const connection = this.#parts.connection();
    try {
      checkText(sql);
      const prepared = connection.known(sql) ?? connection.prepare(sql);
      return prepared?.whole === true && !prepared.writes;
    } catch {
      return false;
    }
  }

  #outcome(sql: string, params: BindParams): SqlOutcome {
    try {
      return { result: this.execute(sql, params) };
    } catch (error) {
      return { error };
    }
  }

  #executeText(connection: OwnConnection, sql: string, params: BindParams): ExecuteResult {
    checkText(sql);
    const values = bind(params);
    connection.checkWhole();
    let result = EMPTY;
    let isFirst = true;
    for (let rest = sql; rest.trim() !== ""; ) {
      const prepared = connection.prepare(rest);
      if (prepared === undefined) break;
      rest = rest.slice(prepared.sql.length);
      if (isFirst && countOf(values) > 0 && rest.trim() !== "" && connection.prepare(rest) !== undefined)
        throw sqlErrors.oneStatement();
      isFirst = false;
      result = this.#watched(connection, prepared, values);
    }
    return result;
  }

  #watched(connection: OwnConnection, prepared: Prepared, values: Bindings): ExecuteResult {
    prepared.parameters.check(values);
    const { watch, actorId } = this.#parts;
    watch.begin(actorId, prepared);
    try {
      return this.#run(connection, prepared, values);
    } finally {
      watch.end(actorId, prepared);
    }
  }

  #run(connection: OwnConnection, prepared: Prepared, values: Bindings): ExecuteResult {
    if (!prepared.writes) {
      connection.look();
      return connection.run(prepared, values);
    }
    this.#parts.wrote();
    connection.begin();
    return prepared.returnsRows ? returning(connection, prepared, values) : connection.run(prepared, values);
  }
}

/** SQLite changes all rows before it returns the first: a result that is too large must undo them. */
function returning(connection: OwnConnection, prepared: Prepared, values: Bindings): ExecuteResult {
  const savepoint = connection.savepoint();
  try {
    const result = { ...connection.run(prepared, values), ...connection.changes() };
    savepoint.release();
    return result;
  } catch (error) {
    if (connection.inTransaction) savepoint.rollback();
    throw error;
  }
}

/** A savepoint whose end lets the batch go. */
function heldSavepoint(savepoint: OwnSavepoint, letGo: () => void): OwnSavepoint {
  const ended = (end: () => void): void => {
    try {
      end();
    } finally {
      letGo();
    }
  };
  return {
    release: () => ended(() => savepoint.release()),
    rollback: () => ended(() => savepoint.rollback()),
  };
}

/** Throws `sql.not_allowed`, `sql.text_too_long`. */
export function checkText(sql: string): void {
  if (typeof sql !== "string") throw sqlErrors.notAllowed(`SQL that isn't text but ${typeof sql}`);
  // SQLite would read no further than this.
  if (sql.includes("\0"))
    throw sqlErrors.notAllowed(
      "the character NUL (U+0000) in the text of a statement: bind the value, with ?",
    );
  // Cheap for all that is short: a character is three bytes at most.
  if (sql.length * 3 <= limits.sqlBytes) return;
  const bytes = utf8Bytes(sql).byteLength;
  if (bytes > limits.sqlBytes) throw sqlErrors.textTooLong(bytes, limits.sqlBytes);
}
