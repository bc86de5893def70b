/**
 * An actor's database as people see it. Every statement goes through the store's own connection under its authorizer; one
 * that writes is refused before it has begun. Statements run where those of the actor do, and on the runtime's thread
 * they can't be interrupted: who has the token is trusted with that.
 */
import { TroupeError } from "@troupe/base";
import type { BindParams, ExecuteResult } from "@troupe/protocol";
import type { PageQuery } from "../ports/inspection.ts";
import type { ActorStore } from "../ports/storage.ts";
import { inspectorErrors } from "./errors.ts";

/** Runs SQL that reads. Throws `inspector.no_database`, `inspector.read_only`, `sql.*`. */
export async function readSql(store: ActorStore, sql: string, params: BindParams): Promise<ExecuteResult> {
  const opened = store.sql?.(() => {
    throw inspectorErrors.readOnly();
  });
  if (opened === undefined) throw inspectorErrors.noDatabase();
  try {
    return await opened.execute(sql, params);
  } catch (cause) {
    throw readable(cause);
  }
}

/** The same error for whoever wrote the statement: SQLite's words, which callers of actors don't get to see. */
export function readable(cause: unknown): unknown {
  if (!TroupeError.is(cause) || cause.group !== "sql" || cause.public) return cause;
  return new TroupeError(cause.group, cause.code, cause.message, { statusCode: 400, cause });
}

/** Tables, indexes, views and triggers, as they were made. */
export async function readSchema(store: ActorStore): Promise<object> {
  const { rows } = await readSql(
    store,
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE '\\_troupe\\_%' ESCAPE '\\' " +
      "AND tbl_name NOT LIKE '\\_troupe\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name",
    [],
  );
  return { schema: rows.map(([type, name, table, sql]) => ({ type, name, table, sql })) };
}

/** A page of a table. `after`: how many rows to leave out. */
export async function readTable(
  store: ActorStore,
  table: string,
  { limit, after = "0" }: PageQuery,
): Promise<object> {
  const skip = /^\d{1,15}$/.test(after) ? Number(after) : 0;
  const sql = `SELECT * FROM "${table.replaceAll('"', '""')}" LIMIT ? OFFSET ?`;
  const { columns, rows } = await readSql(store, sql, [limit + 1, skip]);
  const page = { columns, rows: rows.slice(0, limit) };
  return rows.length > limit ? { ...page, next: String(skip + limit) } : page;
}
