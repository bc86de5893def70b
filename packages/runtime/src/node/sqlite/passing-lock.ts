/**
 * PassingLock: a right that several processes take in turns for a moment, beside a file that they change.
 *
 * As a data directory's, it is an exclusive transaction of SQLite's on an empty file: the kernel drops it when its holder dies, however it
 * dies, so nobody ever has to find out whether one is dead and take over from it. Its file is removed at the end of each turn, as it is
 * among the user's own; one whose holder was killed stays, locks nobody out, and goes with the next turn.
 *
 * Removed files are why a lock alone is no right: who opened the file before it was removed may lock it after. So it counts only while the
 * path names that very file, and only who has the right ever removes it. To know which file was opened, it is opened by a second name, a
 * hard link that nobody else knows: while that is there, no other file has its inode. Nothing opens it but SQLite, since closing any other
 * descriptor of it would drop the locks of this whole process.
 */
import { randomUUID } from "node:crypto";
import { linkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isDisplaced, type KnownFile, knownFile } from "./known-file.ts";
import { type Database, openDatabase, sqliteCode, sqliteCodes } from "./sqlite.ts";

/** What is held. */
export class PassingLock {
  readonly #path: string;
  readonly #database: Database;

  private constructor(path: string, database: Database) {
    this.#path = path;
    this.#database = database;
  }

  /** Undefined: somebody else has it, or had it until now. Throws what the file system or SQLite does. */
  static take(path: string): PassingLock | undefined {
    const name = `${path}.${randomUUID()}`;
    let database: Database;
    let file: KnownFile;
    try {
      if (!isNamed(path, name)) return undefined;
      file = knownFile(path, statSync(name, { bigint: true }));
      database = openDatabase(name);
    } finally {
      rmSync(name, { force: true });
    }
    if (isLocked(database) && !isDisplaced(file)) return new PassingLock(path, database);
    database.close();
    return undefined;
  }

  /** Once. */
  release(): void {
    // In this order: what was let go of may be another's by now.
    rmSync(this.#path, { force: true });
    this.#database.close();
  }
}

/** Gives the file at `path`, a new one if there is none, this name too. */
function isNamed(path: string, name: string): boolean {
  writeFileSync(name, "", { flag: "wx", mode: 0o600 });
  if (isLinked(name, path, "EEXIST")) return true;
  rmSync(name);
  return isLinked(path, name, "ENOENT");
}

function isLinked(from: string, to: string, unless: "EEXIST" | "ENOENT"): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === unless) return false;
    throw cause;
  }
}

function isLocked(database: Database): boolean {
  try {
    // Nothing is ever written: without this SQLite would make a journal beside it.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return true;
  } catch (cause) {
    if (sqliteCode(cause) === sqliteCodes.busy) return false;
    database.close();
    throw cause;
  }
}
