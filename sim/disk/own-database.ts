/** An actor's own database, between its file on the simulated disk and the production's connection. */
import type { Env } from "@troupe/base";
import { DataFile } from "../../packages/runtime/src/node/sqlite/data-file.ts";
import { OWN_SCHEMA, OwnConnection } from "../../packages/runtime/src/node/sqlite/own/own-connection.ts";
import { type Database, openDatabase } from "../../packages/runtime/src/node/sqlite/sqlite.ts";
import type { Batch } from "../../packages/runtime/src/ports/storage.ts";
import type { SimDisk } from "./disk.ts";
import type { Change, StoredTable } from "./image.ts";

const health = { found: () => {}, missing: () => {} };

/**
 * Opens an actor's file, or makes it of its spare. Throws `storage.corrupt` when neither is there. What a process before this one has left there unsynced is synced first, as the
 * production does with a log.
 */
export function openSimDatabase(disk: SimDisk, id: string, afterTurn: Env["afterTurn"]): OwnConnection {
  disk.sync(id);
  const file = new DataFile(id, health);
  if (!disk.isThere(id)) {
    if (!disk.hasSpare(id)) throw file.missing();
    disk.write([{ kind: "tables", id, tables: [] }], id);
  }
  const database = openDatabase(":memory:");
  database.exec(OWN_SCHEMA);
  for (const table of disk.image.tables(id) ?? []) fill(database, table);
  const connection = new OwnConnection(file, database, afterTurn);
  const rows = Array.from(disk.image.rows(id), ([key, value]) => ({ key, value }));
  if (rows.length > 0) connection.commit({ rows });
  return connection;
}

/** Ends the connection's transaction, and writes the file as it is then: one transaction of the disk's. */
export function commitSimDatabase(disk: SimDisk, id: string, connection: OwnConnection, batch: Batch): void {
  connection.commit(batch);
  const rows = batch.rows.map(({ key, value }): Change => ({ kind: "row", id, key, value }));
  const alarm: Change[] = batch.alarm === undefined ? [] : [{ kind: "alarm", id, at: batch.alarm }];
  disk.write([{ kind: "tables", id, tables: tablesOf(connection.database) }, ...rows, ...alarm], id);
}

function fill(database: Database, { sql, name, rows }: StoredTable): void {
  database.exec(sql);
  const [first] = rows;
  if (first === undefined) return;
  const insert = database.prepare(`INSERT INTO ${name} VALUES (${first.map(() => "?").join()})`);
  for (const row of rows) insert.run(...row);
}

function tablesOf(database: Database): StoredTable[] {
  const found = database
    .prepare(
      "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_troupe%' ESCAPE '\\'",
    )
    .all();
  return found.map((table) => {
    const [name, sql] = [String(table["name"]), String(table["sql"])];
    // Without rowids a table has the order of its key.
    const order = sql.includes("WITHOUT ROWID") ? "" : " ORDER BY rowid";
    const rows = database.prepare(`SELECT * FROM ${name}${order}`).all();
    return { name, sql, rows: rows.map((row) => Object.values(row)) };
  });
}
