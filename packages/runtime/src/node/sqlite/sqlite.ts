/**
 * The one door to `node:sqlite`: what Troupe uses of it stands here, and is checked by name before the first use.
 *
 * Worker threads import this file too, so it depends on nothing else.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";

// Not an import: where the module is missing, that would fail before anybody could say what is.
const sqlite: typeof import("node:sqlite") | undefined = process.getBuiltinModule?.("node:sqlite");

/** A connection of node:sqlite. */
export type Database = DatabaseSync;
/** A prepared statement of node:sqlite. */
export type Statement = StatementSync;
/** What a statement takes and gives. */
export type SqlValue = SQLOutputValue;

/** How a database is opened. */
export interface OpenDatabaseOptions {
  /** How long SQLite itself may block the thread on a lock. */
  readonly timeoutMs?: number;
  /** Nothing is written, and the log stays as it is. */
  readonly readOnly?: boolean;
}

/** Opens a database file, or creates it. */
export function openDatabase(path: string, options: OpenDatabaseOptions = {}): Database {
  if (sqlite === undefined) throw new Error("this Node has no node:sqlite");
  const { timeoutMs = 0, readOnly = false } = options;
  return new sqlite.DatabaseSync(path, { timeout: timeoutMs, allowExtension: false, readOnly });
}

/** How a database is copied: `rate` pages in a step, and what is called behind each. */
export interface CopySteps {
  readonly rate: number;
  readonly progress: (left: { readonly totalPages: number; readonly remainingPages: number }) => void;
}

/** Copies all that `source` sees into a new file; settles with the number of pages. */
export async function backupDatabase(source: Database, path: string, steps: CopySteps): Promise<number> {
  if (sqlite === undefined) throw new Error("this Node has no node:sqlite");
  return await sqlite.backup(source, path, steps);
}

/** What this platform's `node:sqlite` lacks; empty when all is there. */
export function missingFeatures(): readonly string[] {
  if (sqlite === undefined) return [`everything (Node ${process.version} has no such module)`];
  // An instance, not the prototype: some are accessors that each instance gets of its own.
  const probe = new sqlite.DatabaseSync(":memory:");
  const missing = ["exec", "prepare", "close", "isOpen", "isTransaction", "limits", "setAuthorizer"]
    .filter((member) => !(member in probe))
    .map((member) => `DatabaseSync.${member}`);
  probe.close();
  if (typeof sqlite.backup !== "function") missing.push("backup");
  if (sqlite.constants.SQLITE_DENY === undefined) missing.push("constants.SQLITE_DENY");
  return missing;
}

/** SQLite's result codes that somebody here decides by. */
export const sqliteCodes = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notDatabase: 26,
} as const;

/** A virtual table's data doesn't fit together. Its user may write to the tables that it is in: no damage of the file. */
const CORRUPT_VIRTUAL_TABLE = 267;

/** True of SQLite's errors that say that a file isn't what SQLite has written. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  if (code !== sqliteCodes.corrupt) return code === sqliteCodes.notDatabase;
  return !(error instanceof Error && "errcode" in error && error.errcode === CORRUPT_VIRTUAL_TABLE);
}

/** The primary result code of an error that SQLite threw. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff;
}
