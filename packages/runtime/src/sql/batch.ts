/** What `c.db.batch` is given, and how much of it: here, and where statements come from elsewhere. */
import { type BindParams, type ExecuteResult, limits, type SqlStatement, utf8Bytes } from "@troupe/protocol";
import { sqlErrors } from "./errors.ts";

/** The statements of a list that somebody's code has made. Throws `sql.invalid_statement`. */
export function statementsOf(given: unknown): readonly SqlStatement[] {
  if (!Array.isArray(given)) throw sqlErrors.invalidStatement(0);
  const statements: SqlStatement[] = [];
  for (let index = 0; index < given.length; index += 1) statements.push(statementOf(given[index], index));
  return statements;
}

function statementOf(given: unknown, index: number): SqlStatement {
  if (typeof given === "string") return { sql: given, params: [] };
  const { sql, args = [] }: { readonly sql?: unknown; readonly args?: unknown } = Object(given);
  if (typeof sql !== "string" || typeof args !== "object" || args === null)
    throw sqlErrors.invalidStatement(index);
  // What isn't a parameter is found when it is bound.
  return { sql, params: args as BindParams };
}

/** Throws `sql.too_many_statements`, `sql.batch_too_large`. */
export function checkBatch(statements: readonly SqlStatement[]): void {
  const { length } = statements;
  if (length > limits.sqlBatchStatements)
    throw sqlErrors.tooManyStatements(length, limits.sqlBatchStatements);
  let bytes = 0;
  for (let index = 0; index < length; index += 1) {
    const statement = statements[index];
    if (statement !== undefined) bytes += sizeOf(statement);
    if (bytes > limits.sqlBatchBytes) throw sqlErrors.batchTooLarge(limits.sqlBatchBytes);
  }
}

/** Bytes of a text and its parameters: text as UTF-8, numbers as 8. */
export function sizeOf({ sql, params }: SqlStatement): number {
  let bytes = textBytes(sql);
  for (const value of Array.isArray(params) ? params : Object.values(params)) {
    if (typeof value === "string") bytes += textBytes(value);
    else bytes += value instanceof Uint8Array ? value.byteLength : 8;
  }
  return bytes;
}

/** Exact where it matters: short texts are counted by their characters, three bytes at most. */
function textBytes(text: string): number {
  return text.length < SHORT ? text.length : utf8Bytes(text).byteLength;
}

const SHORT = 4_096;

/** What a batch gave, which is in memory as a whole: bounded as one result is. */
export class BatchResults {
  readonly results: ExecuteResult[] = [];
  #rows = 0;
  #bytes = 0;

  /** Throws `sql.result_too_large`. */
  add(result: ExecuteResult): void {
    this.results.push(result);
    if (result.rows.length === 0) return;
    this.#rows += result.rows.length;
    this.#bytes += resultBytes(result);
    if (this.#rows > limits.sqlResultRows) throw sqlErrors.resultTooLarge("rows", limits.sqlResultRows);
    if (this.#bytes > limits.sqlResultBytes) throw sqlErrors.resultTooLarge("bytes", limits.sqlResultBytes);
  }
}

/** Values of a result: text as its characters, numbers as 8 bytes. */
export function resultBytes({ rows }: ExecuteResult): number {
  let bytes = 0;
  for (const row of rows)
    for (const value of row)
      bytes += typeof value === "string" ? value.length : value instanceof Uint8Array ? value.byteLength : 8;
  return bytes;
}
