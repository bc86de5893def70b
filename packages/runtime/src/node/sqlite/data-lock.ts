/**
 * DataLock: one process per data directory.
 *
 * The lock is an exclusive transaction held on `lock.db`. The kernel drops it when the process dies, however it dies,
 * and keeps it while the process is stopped (SIGSTOP): a stopped writer that wakes up later must find its files as it
 * left them. A lock whose file was deleted or replaced keeps nobody out: it isn't taken, and whoever has it finds out
 * before it writes (`file`, which shards look at). `owner.json` beside it only tells people who it is; it decides nothing.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Env, Logger } from "@troupe/base";
import { dataErrors } from "./data-errors.ts";
import { fileError } from "./files.ts";
import { isDisplaced, type KnownFile, knownFile } from "./known-file.ts";
import { type Database, openDatabase, sqliteCode, sqliteCodes } from "./sqlite.ts";

/** Which directory to lock, and how long to wait for it. */
export interface DataLockOptions {
  readonly env: Pick<Env, "clock" | "timers" | "log">;
  readonly dataDir: string;
  /** How long to wait for the owner to go. */
  readonly waitMs: number;
}

/** What the lock consists of, in the directory. */
export const LOCK_FILES = ["lock.db", "owner.json"] as const;

const POLL_MS = 50;
/** A process that has just been told to end has gone by then; for any other owner somebody should know what is waited for. */
const SAY_AFTER_MS = 1_000;

/** The right to a data directory: one process has it at a time. */
export class DataLock {
  /** The right lasts while this file is where it is. */
  readonly file: KnownFile;
  readonly #database: Database;

  private constructor({ database, file }: OpenLock) {
    this.#database = database;
    this.file = file;
  }

  /** Throws `storage.locked`, which names the owner. */
  static async acquire(options: DataLockOptions): Promise<DataLock> {
    const { env, dataDir } = options;
    const path = join(dataDir, "lock.db");
    const ownerPath = join(dataDir, "owner.json");
    const began = env.clock.monotonic();
    let said = false;
    let lock = open(path);
    try {
      while (!tryLock(lock)) {
        const waitedMs = env.clock.monotonic() - began;
        if (waitedMs >= options.waitMs) throw dataErrors.locked(readOwner(ownerPath));
        if (!said && waitedMs >= SAY_AFTER_MS) {
          said = true;
          const fields = { dataDir, owner: readOwner(ownerPath), waitMs: options.waitMs };
          env.log.warn("the data directory is in use; waiting for its owner to go", fields);
        }
        await new Promise<void>((resolve) => env.timers.set(resolve, POLL_MS));
        if (isDisplaced(lock.file)) {
          lock.database.close();
          lock = open(path);
        }
      }
      writeOwner(ownerPath, env.clock.now(), env.log);
    } catch (error) {
      if (lock.database.isOpen) lock.database.close();
      throw fileError(path, error);
    }
    return new DataLock(lock);
  }

  /** True while a process has the directory. Nothing there is changed. */
  static isHeld(dataDir: string): boolean {
    const path = join(dataDir, "lock.db");
    if (!existsSync(path)) return false;
    const lock = open(path);
    try {
      return !tryLock(lock);
    } finally {
      lock.database.close();
    }
  }

  /** Keeps others out until the end of a scope, and leaves no word of it. Throws `storage.locked`. */
  static hold(dataDir: string): Disposable {
    const path = join(dataDir, "lock.db");
    // Without one nobody has ever had it: a backup.
    if (!existsSync(path)) return { [Symbol.dispose]: () => {} };
    const lock = open(path);
    if (!tryLock(lock)) {
      lock.database.close();
      throw dataErrors.locked(DataLock.owner(dataDir));
    }
    return { [Symbol.dispose]: () => lock.database.close() };
  }

  /** Who has the directory, for people. */
  static owner(dataDir: string): string {
    return readOwner(join(dataDir, "owner.json"));
  }

  /** Twice is once. */
  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

interface OpenLock {
  readonly database: Database;
  /** What the path named right after it was opened: after a wait it may name another file. */
  readonly file: KnownFile;
}

function open(path: string): OpenLock {
  try {
    return { database: openDatabase(path), file: knownFile(path) };
  } catch (error) {
    // SQLite can't say why it can't open a file; a directory that takes no new file is by far the likeliest.
    if (sqliteCode(error) === sqliteCodes.cantOpen) throw dataErrors.readOnly(path, error);
    throw fileError(path, error);
  }
}

function tryLock({ database, file }: OpenLock): boolean {
  try {
    if (!database.isTransaction) database.exec("BEGIN EXCLUSIVE");
    return !isDisplaced(file);
  } catch (error) {
    if (sqliteCode(error) === sqliteCodes.busy) return false;
    throw fileError(file.path, error);
  }
}

function writeOwner(path: string, now: number, log: Logger): void {
  const owner = { pid: process.pid, startedAt: new Date(now).toISOString(), host: hostname() };
  try {
    writeFileSync(path, `${JSON.stringify(owner)}\n`);
  } catch (error) {
    // A start may be what makes room on a full disk.
    if (fileError(path, error).code !== "disk_full") throw error;
    log.warn("the data directory's owner couldn't be written down: the disk is full", { path });
  }
}

function readOwner(path: string): string {
  try {
    const owner: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (
      typeof owner === "object" &&
      owner !== null &&
      "pid" in owner &&
      "startedAt" in owner &&
      "host" in owner
    ) {
      return `process ${owner.pid} on ${owner.host}, started ${owner.startedAt}`;
    }
  } catch {
    // The owner is between taking the lock and writing its name, or the file is damaged: either way it has no name.
  }
  return "another process";
}
