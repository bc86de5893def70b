/**
 * SQL between a host and code that it carries: parameters and results in CBOR, which keeps 64-bit integers and bytes as
 * they are, whatever the session's payloads are written in.
 */
import { TroupeError } from "@troupe/base";
import type { BindParam, BindParams, ColumnValue, ExecuteResult } from "../sql.ts";
import { decodeCbor, encodeCbor } from "../values/cbor.ts";
import { isRecord } from "../values/error-value.ts";

/** The bytes of a statement's parameters. Throws `value.*`. */
export function encodeBindParams(params: BindParams): Uint8Array {
  return encodeCbor(params, "params");
}

/** The parameters. Throws `value.*`, `sql.malformed`. */
export function decodeBindParams(bytes: Uint8Array): BindParams {
  if (bytes.byteLength === 0) return [];
  const value = decodeCbor(bytes);
  if (Array.isArray(value) && value.every(isBindParam)) return value;
  if (isRecord(value) && !Array.isArray(value)) {
    const named: Record<string, BindParam> = {};
    for (const [name, param] of Object.entries(value)) {
      if (!isBindParam(param)) throw malformed("parameters");
      named[name] = param;
    }
    return named;
  }
  throw malformed("parameters");
}

/** The bytes of a result. */
export function encodeExecuteResult(result: ExecuteResult): Uint8Array {
  return encodeCbor(result, "result");
}

/** The result. Throws `value.*`, `sql.malformed`. */
export function decodeExecuteResult(bytes: Uint8Array): ExecuteResult {
  const value = decodeCbor(bytes);
  if (!isRecord(value)) throw malformed("result");
  const { columns, rows, changes, lastInsertRowId } = value;
  return checkedResult(columns, rows, changes, lastInsertRowId);
}

/** The result that these are the parts of. Throws `sql.malformed`. */
export function checkedResult(
  ...[columns, rows, changes, lastInsertRowId]: readonly unknown[]
): ExecuteResult {
  if (!Array.isArray(columns) || !columns.every((column) => typeof column === "string"))
    throw malformed("result");
  if (!Array.isArray(rows) || !rows.every(isRow) || typeof changes !== "number") throw malformed("result");
  if (lastInsertRowId !== null && typeof lastInsertRowId !== "number" && typeof lastInsertRowId !== "bigint")
    throw malformed("result");
  return { columns, rows, changes, lastInsertRowId };
}

function isRow(value: unknown): value is ColumnValue[] {
  return Array.isArray(value) && value.every(isColumnValue);
}

function isColumnValue(value: unknown): value is ColumnValue {
  switch (typeof value) {
    case "number":
    case "bigint":
    case "string":
      return true;
    default:
      return value === null || value instanceof Uint8Array;
  }
}

/** True for what a parameter may be. */
export function isBindParam(value: unknown): value is BindParam {
  return isColumnValue(value) || typeof value === "boolean";
}

/** What can't be read. */
export function malformed(what: string): TroupeError {
  return new TroupeError("sql", "malformed", `This can't be read as the ${what} of a statement`);
}
