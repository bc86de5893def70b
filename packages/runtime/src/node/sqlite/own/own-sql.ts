/**
 * OwnSql: an actor's statements, on the one connection to its file.
 *
 * A statement runs when it is called. The first one of a batch that writes opens the transaction that the batch ends; one
 * that only reads runs inside it, or by itself. After a failure the connection is asked whether its transaction is still
 * there: where it isn't, SQLite has undone all that the batch had written, and the batch fails as a whole.
 */
import {
  type BindParam,
  type BindParams,
  type ColumnValue,
  type ExecuteResult,
  limits,
  utf8Bytes,
} from "@troupe/protocol";
import type { ActorSql } from "../../../ports/storage.ts";
import { sqlErrors } from "../../../sql/errors.ts";
import type { OwnConnection, OwnSavepoint, Prepared } from "./own-connection.ts";
import type { StatementWatch } from "./statement-watch.ts";

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;
const EMPTY: ExecuteResult = { columns: [], rows: [], changes: 0, lastInsertRowId: null };

type Bound = null | number | bigint | string | Uint8Array;

/** What it needs: the connection, made when it is first used, and who wants to know of writes. */
export interface OwnSqlParts {
  readonly connection: () => OwnConnection;
  readonly wrote: () => void;
  readonly actorId: string;
  readonly watch: StatementWatch;
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
    checkText(sql);
    const bound = bind(params);
    const connection = this.#parts.connection();
    connection.checkWhole();
    let result = EMPTY;
    let count = 0;
    for (let rest = sql; rest.trim() !== ""; ) {
      const prepared = connection.prepare(rest);
      if (prepared === undefined) break;
      count += 1;
      rest = rest.slice(prepared.length);
      if (count === 1 && bound.count > 0 && rest.trim() !== "" && connection.prepare(rest) !== undefined) {
        throw sqlErrors.oneStatement();
      }
      const { sql: text, label } = prepared;
      const statement = { actorId: this.#parts.actorId, sql: text, label };
      result = this.#parts.watch.run(statement, () => this.#run(connection, prepared, bound.values));
    }
    return result;
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

  #run(connection: OwnConnection, prepared: Prepared, values: Bindings): ExecuteResult {
    if (!prepared.writes) return connection.guarded(() => read(prepared, values));
    this.#parts.wrote();
    connection.begin();
    // SQLite changes all rows before it returns the first: a result that is too large must undo them.
    const savepoint = prepared.returnsRows ? connection.savepoint() : undefined;
    try {
      const result = connection.guarded(() => write(connection, prepared, values));
      savepoint?.release();
      return result;
    } catch (error) {
      if (connection.inTransaction) savepoint?.rollback();
      throw error;
    }
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

function read(prepared: Prepared, values: Bindings): ExecuteResult {
  const rows = rowsOf(prepared, values);
  return { columns: prepared.columns(), rows, changes: 0, lastInsertRowId: null };
}

function write(connection: OwnConnection, prepared: Prepared, values: Bindings): ExecuteResult {
  if (prepared.returnsRows) {
    const rows = rowsOf(prepared, values);
    return { columns: prepared.columns(), rows, ...connection.changes() };
  }
  const { changes, lastInsertRowid } = isNamed(values)
    ? prepared.statement.run(values)
    : prepared.statement.run(...values);
  return { columns: [], rows: [], changes: Number(changes), lastInsertRowId: toNumber(lastInsertRowid) };
}

type Bindings = readonly Bound[] | Record<string, Bound>;

function isNamed(values: Bindings): values is Record<string, Bound> {
  return !Array.isArray(values);
}

function rowsOf({ statement }: Prepared, values: Bindings): ColumnValue[][] {
  const found = isNamed(values) ? statement.iterate(values) : statement.iterate(...values);
  const rows: ColumnValue[][] = [];
  let bytes = 0;
  for (const row of found) {
    if (!Array.isArray(row)) continue;
    const values = row.map(columnValue);
    for (const value of values) bytes += sizeOf(value);
    if (rows.length === limits.sqlResultRows) throw sqlErrors.resultTooLarge("rows", limits.sqlResultRows);
    if (bytes > limits.sqlResultBytes) throw sqlErrors.resultTooLarge("bytes", limits.sqlResultBytes);
    rows.push(values);
  }
  return rows;
}

function columnValue(value: unknown): ColumnValue {
  if (typeof value === "bigint") return toNumber(value);
  if (value === null || typeof value === "number" || typeof value === "string") return value;
  return value instanceof Uint8Array ? value : null;
}

function toNumber(value: number | bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function sizeOf(value: ColumnValue): number {
  if (typeof value === "string") return value.length;
  return value instanceof Uint8Array ? value.byteLength : 8;
}

function checkText(sql: string): void {
  if (typeof sql !== "string" || sql.includes("\0")) throw sqlErrors.notAllowed("SQL that isn't text");
  // Cheap for all that is short: a character is three bytes at most.
  if (sql.length * 3 <= limits.sqlBytes) return;
  const bytes = utf8Bytes(sql).byteLength;
  if (bytes > limits.sqlBytes) throw sqlErrors.textTooLong(bytes, limits.sqlBytes);
}

/** Checks the parameters, all of them before anything runs. */
function bind(params: BindParams): { readonly values: Bindings; readonly count: number } {
  if (!Array.isArray(params)) return bindNamed(Object.entries(params));
  checkCount(params.length);
  const values: Bound[] = [];
  for (let index = 0; index < params.length; index += 1) values.push(boundValue(index, params[index]));
  checkBytes(values);
  return { values, count: values.length };
}

function bindNamed(params: readonly (readonly [string, BindParam])[]): {
  readonly values: Bindings;
  readonly count: number;
} {
  checkCount(params.length);
  const entries = params.map(([name, value]) => [name, boundValue(name, value)] as const);
  checkBytes(entries.map(([, value]) => value));
  return { values: Object.fromEntries(entries), count: entries.length };
}

function checkCount(count: number): void {
  if (count > limits.sqlParameters) throw sqlErrors.tooManyParameters(count, limits.sqlParameters);
}

function checkBytes(values: readonly Bound[]): void {
  // Cheap for all that is short: a character is three bytes at most.
  let most = 0;
  for (const value of values) most += typeof value === "string" ? value.length * 3 : sizeOf(value);
  if (most <= limits.sqlBoundBytes) return;
  let bytes = 0;
  for (const value of values)
    bytes += typeof value === "string" ? utf8Bytes(value).byteLength : sizeOf(value);
  if (bytes > limits.sqlBoundBytes) throw sqlErrors.parametersTooLarge(bytes, limits.sqlBoundBytes);
}

function boundValue(name: string | number, value: BindParam): Bound {
  if (value === null || typeof value === "string" || value instanceof Uint8Array) return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  // node:sqlite binds every number as a float; a whole one is meant as an integer.
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === "bigint" && value >= MIN_INTEGER && value <= MAX_INTEGER) return value;
  throw sqlErrors.invalidParameter(name);
}
