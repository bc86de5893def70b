/**
 * An actor's own file: how it is made, opened and left.
 *
 * A new one is a copy of a template, written under another name, synced (`spare-files.ts`), and given its own as a second
 * one: what has its name is whole. Nobody but SQLite opens it from then on. At open a log that a killed process left is
 * moved into the file, synced, before anything is read: nobody knows how much of it a power cut would take.
 */
import { existsSync, linkSync, readFileSync, rmSync, statSync } from "node:fs";
import type { Env } from "@troupe/base";
import { storageErrors } from "../../../errors.ts";
import { dataErrors } from "../data-errors.ts";
import type { DataFile } from "../data-file.ts";
import { fileError } from "../files.ts";
import { type Database, openDatabase } from "../sqlite.ts";
import { OWN_SCHEMA, OwnConnection } from "./own-connection.ts";

/** How long SQLite may block the thread when a stranger (a shell, a backup) holds the write lock. */
const BUSY_TIMEOUT_MS = 250;

/** What a file of an actor consists of, behind its path. */
export const PARTS = ["", "-wal", "-shm"] as const;

/** The bytes of an empty file; `path` is free to be used for making them. */
export function makeTemplate(path: string): Uint8Array {
  try {
    for (const part of PARTS) rmSync(path + part, { force: true });
    const database = openDatabase(path);
    database.exec(`PRAGMA journal_mode = WAL; BEGIN; ${OWN_SCHEMA} COMMIT`);
    database.close();
    return readFileSync(path);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** Who else opens the file while it is open: this process's checkpoint thread, or nobody at all. */
export type OwnFileUsers = "process" | "nobody else";

/** A new file, of a spare that is whole, and without a log to look into. Its name in the directory isn't synced yet. */
export function createOwnFile(
  file: DataFile,
  spare: string,
  afterTurn: Env["afterTurn"],
  users: OwnFileUsers = "process",
): OwnConnection {
  try {
    linkSync(spare, file.path);
    const connection = connect(file, afterTurn, users);
    connection.beginLog();
    return connection;
  } catch (error) {
    throw file.error(error);
  }
}

/** An existing file. Throws `storage.corrupt`, `storage.newer_layout` and their like. */
export function openOwnFile(
  file: DataFile,
  afterTurn: Env["afterTurn"],
  users: OwnFileUsers = "process",
): OwnConnection {
  if (!existsSync(file.path)) throw file.missing();
  let connection: OwnConnection | undefined;
  try {
    connection = connect(file, afterTurn, users);
    emptyLog(file, connection.database);
    connection.checkLayout();
    return connection;
  } catch (error) {
    if (connection?.database.isOpen) connection.database.close();
    throw file.error(error);
  }
}

/** True when there is something in the log of a file that isn't open. */
export function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** The alarm in a file that wasn't closed. Of the file and its log nothing changes. Throws as `openOwnFile` does. */
export function lookAtAlarm(file: DataFile): number | null {
  if (!existsSync(file.path)) throw file.missing();
  try {
    const database = openDatabase(file.path, { timeoutMs: BUSY_TIMEOUT_MS, readOnly: true });
    try {
      const found = database.prepare("SELECT value FROM _troupe_meta WHERE key = 'alarm'").get();
      return typeof found?.["value"] === "number" ? found["value"] : null;
    } finally {
      database.close();
    }
  } catch (error) {
    throw file.error(error);
  }
}

/** A database in memory. */
export function openInMemory(file: DataFile, afterTurn: Env["afterTurn"]): OwnConnection {
  const database = openDatabase(":memory:");
  database.exec(OWN_SCHEMA);
  return new OwnConnection(file, database, afterTurn);
}

function connect(file: DataFile, afterTurn: Env["afterTurn"], users: OwnFileUsers): OwnConnection {
  const database = openDatabase(file.path, { timeoutMs: BUSY_TIMEOUT_MS });
  try {
    const locking = users === "nobody else" ? "PRAGMA locking_mode = EXCLUSIVE; " : "";
    database.exec(`${locking}PRAGMA wal_autocheckpoint = 0; PRAGMA cache_spill = OFF`);
    return new OwnConnection(file, database, afterTurn);
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Moves what a killed process left in the log into the file, synced. */
function emptyLog({ path }: DataFile, database: Database): void {
  database.exec("PRAGMA synchronous = FULL");
  checkpoint(path, database);
  database.exec("PRAGMA synchronous = NORMAL");
}

function checkpoint(path: string, database: Database): void {
  const mode = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"];
  if (mode !== "wal") throw storageErrors.corrupt(path, `its journal mode is ${String(mode)}`);
  const result = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  if (result?.["busy"] !== 0) throw dataErrors.openFailed(path, new Error("another process reads the file"));
}
