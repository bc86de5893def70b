/** Values of SQL, as they are bound, found and sent: the same for an actor here, behind a carrier, and on another host. */

/** What a parameter may be. Whole numbers are bound as integers; bigint is for those past 2^53. */
export type BindParam = null | boolean | number | bigint | string | Uint8Array;

/** Parameters by place, or by name (with or without `:`, `@` or `$`). */
export type BindParams = readonly BindParam[] | Readonly<Record<string, BindParam>>;

/** A text of SQL, and its parameters. */
export interface SqlStatement {
  readonly sql: string;
  readonly params: BindParams;
}

/** What a column of a row may be. An integer that a number can't hold is a bigint. */
export type ColumnValue = null | number | bigint | string | Uint8Array;

/** What a statement gave. */
export interface ExecuteResult {
  readonly columns: readonly string[];
  /** In the order of `columns`. */
  readonly rows: readonly (readonly ColumnValue[])[];
  /** Rows that were inserted, updated or deleted. */
  readonly changes: number;
  /** Of the last row that was inserted into a table with row ids; `null` when nothing was written. */
  readonly lastInsertRowId: number | bigint | null;
}

/** The result of a statement, or why there is none. */
export type SqlOutcome = { readonly result: ExecuteResult } | { readonly error: unknown };
