/**
 * Prepared: a statement of the user's, with what is known about it since it was prepared. What is kept here isn't asked
 * again each time that it runs.
 */
import { type ColumnValue, type ExecuteResult, limits } from "@troupe/protocol";
import { sqlErrors } from "../../../sql/errors.ts";
import type { Statement } from "../sqlite.ts";
import type { Asked } from "./authorizer.ts";
import { type Bindings, isNamed, sizeOf } from "./bindings.ts";
import { Parameters } from "./parameters.ts";
import { labelOf } from "./statement-watch.ts";

/** A statement that is ready to run. */
export class Prepared {
  readonly statement: Statement;
  readonly sql: string;
  /** What names it while it runs. */
  readonly label: Uint8Array;
  readonly writes: boolean;
  readonly schema: boolean;
  readonly returnsRows: boolean;
  /** The text that it was prepared from has nothing behind it. */
  readonly whole: boolean;
  readonly parameters: Parameters;
  #columns: readonly string[] | undefined;
  #readsBigInts = false;

  constructor(statement: Statement, { writes, schema }: Asked, text: string) {
    this.statement = statement;
    this.sql = statement.sourceSQL;
    this.label = labelOf(this.sql);
    this.parameters = new Parameters(this.sql);
    this.writes = writes;
    this.schema = schema;
    this.returnsRows = statement.columns().length > 0;
    this.whole = text.slice(this.sql.length).trim() === "";
    statement.setReturnArrays(true);
    // What has written can't be run again when an integer turns out to be too large for a number.
    if (writes && this.returnsRows) this.#readBigInts();
  }

  /** Runs it. Throws what SQLite and node:sqlite throw, and `sql.result_too_large`. */
  run(values: Bindings): ExecuteResult {
    if (this.writes && !this.returnsRows) return this.#change(values);
    const rows = this.#rows(values);
    this.#columns ??= this.statement.columns().map(({ name }) => name);
    return { columns: this.#columns, rows, changes: 0, lastInsertRowId: null };
  }

  #change(values: Bindings): ExecuteResult {
    const { statement } = this;
    const { changes, lastInsertRowid } = isNamed(values) ? statement.run(values) : statement.run(...values);
    return { columns: [], rows: [], changes: Number(changes), lastInsertRowId: asNumber(lastInsertRowid) };
  }

  #rows(values: Bindings): ColumnValue[][] {
    if (this.#readsBigInts) return this.#read(values);
    try {
      return this.#read(values);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      this.#readBigInts();
      return this.#read(values);
    }
  }

  #read(values: Bindings): ColumnValue[][] {
    const { statement } = this;
    const found = isNamed(values) ? statement.iterate(values) : statement.iterate(...values);
    const rows: ColumnValue[][] = [];
    let bytes = 0;
    for (const row of found) {
      if (!Array.isArray(row)) continue;
      if (this.#readsBigInts) for (let at = 0; at < row.length; at += 1) row[at] = asNumber(row[at]);
      for (let at = 0; at < row.length; at += 1) bytes += sizeOf(row[at]);
      if (rows.length === limits.sqlResultRows) throw sqlErrors.resultTooLarge("rows", limits.sqlResultRows);
      if (bytes > limits.sqlResultBytes) throw sqlErrors.resultTooLarge("bytes", limits.sqlResultBytes);
      rows.push(row);
    }
    return rows;
  }

  /** From now on integers come as bigint. */
  #readBigInts(): void {
    this.#readsBigInts = true;
    this.statement.setReadBigInts(true);
  }
}

/** An integer is a number where it can be one. */
export function asNumber<Value>(value: Value): Value | number {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** node:sqlite gives no integer as a number that can't hold it. */
function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_OUT_OF_RANGE";
}
