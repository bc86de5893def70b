/**
 * What is in a shard file, and how its connection is set up.
 *
 * `actors` is the directory: one row for each actor, living or being destroyed; `own_file` is 1 for those that were made
 * with a file of their own, and absent for the others and in rows of before it was kept. `rows` is what actors keep: the state's
 * properties and all else, clustered by actor so that a wake reads neighbours. The page size is 2 KiB: half of what a
 * group of scattered one-row batches costs is the pages that it drags into the log, while a row of up to 488 bytes
 * still fits without an overflow page (measured, 10,000 actors of 120 B in groups of 100: 9.2 us a row and 0.60 ms a
 * sync with 4 KiB pages, 7.4 and 0.37 with 2 KiB, 6.6 and 0.30 with 1 KiB, which loses at rows of 400 B).
 */
import { existsSync } from "node:fs";
import { storageErrors } from "../../errors.ts";
import { dataErrors } from "./data-errors.ts";
import { fileError } from "./files.ts";
import { LAYOUT_VERSION } from "./manifest.ts";
import { type Database, openDatabase } from "./sqlite.ts";

/** Bytes. */
export const PAGE_SIZE = 2048;
/** How long SQLite may block the thread when a stranger (a shell, a backup) holds the write lock. */
const BUSY_TIMEOUT_MS = 250;
const CACHE_KIB = 16 * 1024;

const OWN_FILE_INDEX = "CREATE INDEX actors_with_file ON actors (number) WHERE own_file IS NOT NULL;";

const SCHEMA = `
  CREATE TABLE actors (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    alarm INTEGER,
    destroyed_at INTEGER,
    own_file INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX actors_by_id ON actors (id);
  CREATE UNIQUE INDEX actors_by_address ON actors (namespace, name, key) WHERE destroyed_at IS NULL;
  CREATE INDEX actors_by_alarm ON actors (alarm) WHERE alarm IS NOT NULL;
  CREATE INDEX actors_destroyed ON actors (number) WHERE destroyed_at IS NOT NULL;
  ${OWN_FILE_INDEX}
  CREATE TABLE rows (
    actor INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * Opens a shard for writing and makes durable what a killed process may have left written but unsynced. `age: "new"`
 * allows it to be missing or empty, and makes its schema. Throws `storage.corrupt`, `storage.newer_layout` and their
 * like.
 */
export function openShardDatabase(path: string, age: "new" | "known"): Database {
  if (age === "known" && !existsSync(path)) throw storageErrors.corrupt(path, "it is missing");
  let database: Database | undefined;
  try {
    database = openDatabase(path, { timeoutMs: BUSY_TIMEOUT_MS });
    database.exec(`PRAGMA page_size = ${PAGE_SIZE}`);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
    checkpointAll(database, path);
    prepareSchema(database, path, age);
    checkpointAll(database, path);
    database.exec(`PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${CACHE_KIB}`);
    return database;
  } catch (error) {
    database?.close();
    throw fileError(path, error);
  }
}

function checkpointAll(database: Database, path: string): void {
  const result = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  if (result?.["busy"] !== 0) throw dataErrors.openFailed(path, new Error("another process reads the file"));
}

function prepareSchema(database: Database, path: string, age: "new" | "known"): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > LAYOUT_VERSION) throw dataErrors.newer(path, version, LAYOUT_VERSION);
  if (version === LAYOUT_VERSION) {
    // Reads the schema and both roots, so that a file damaged there is found now and not in an actor's call.
    database.prepare("SELECT (SELECT number FROM actors LIMIT 1), (SELECT actor FROM rows LIMIT 1)").get();
    addOwnFile(database);
    return;
  }
  if (age === "known") throw storageErrors.corrupt(path, "it is empty");
  database.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${LAYOUT_VERSION}; COMMIT`);
}

/** Older code goes on with the column, and leaves it empty. */
function addOwnFile(database: Database): void {
  const columns = database.prepare("PRAGMA table_info(actors)").all();
  if (columns.some(({ name }) => name === "own_file")) return;
  database.exec(`BEGIN IMMEDIATE; ALTER TABLE actors ADD COLUMN own_file INTEGER; ${OWN_FILE_INDEX} COMMIT`);
}
