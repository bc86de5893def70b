/**
 * copyDatabase: one database, as it is at one moment, while others write to it.
 *
 * The connection holds one reading transaction for as long as the copy takes: SQLite's own backup copies what that sees,
 * in steps, whatever is committed meanwhile, and never begins anew. Writers don't wait for it. What they write stays in the
 * log until the copy is done, so that is bounded.
 *
 * What is seen may not be durable yet. The log is synced before the copy begins: nothing is in a backup that a power cut
 * could take from the original.
 *
 * Worker threads import this file, so it depends on nothing of other packages.
 */
import { closeSync, existsSync, fdatasyncSync, openSync, statSync } from "node:fs";
import { backupDatabase, type Database, openDatabase } from "../sqlite.ts";
import type { CopiedDatabase } from "./backup-messages.ts";
import { backupLimits } from "./limits.ts";

/** How it is copied. */
export interface CopyOptions {
  readonly from: string;
  /** There is no such file. */
  readonly to: string;
  /** `actor`: an actor's own file, whose alarm is wanted. */
  readonly holds: "shard" | "actor";
  /** Between two steps. What it throws ends the copy. */
  readonly step: (copiedBytes: number) => void;
}

/** Why a copy ended that has no error of SQLite's. */
export class CopyEnded extends Error {
  readonly why: "ended" | "log" | "damaged";

  constructor(why: CopyEnded["why"], message: string) {
    super(message);
    this.why = why;
  }
}

/** How long to wait for whoever recovers a log, or has the file for itself for a moment. */
const BUSY_TIMEOUT_MS = 5_000;
const FLUSH_BYTES = 16 * 1024 * 1024;

/** Rejects with `CopyEnded`, and with what SQLite and the file system throw. */
export async function copyDatabase({ from, to, holds, step }: CopyOptions): Promise<CopiedDatabase> {
  const source = openDatabase(from, { timeoutMs: BUSY_TIMEOUT_MS });
  try {
    source.exec("PRAGMA wal_autocheckpoint = 0; BEGIN");
    const found = holds === "actor" ? actorIn(source) : nobodyIn(source);
    syncLog(from);
    const { page_size } = source.prepare("PRAGMA page_size").get() ?? {};
    const pageBytes = Number(page_size);
    const before = logBytes(from);
    const flush = flusher(to);
    const pages = await backupDatabase(source, to, {
      rate: backupLimits.pagesAStep,
      progress: ({ totalPages, remainingPages }) => {
        const copied = (totalPages - remainingPages) * pageBytes;
        step(copied);
        flush(copied);
        if (logBytes(from) - before > backupLimits.logBytes)
          throw new CopyEnded("log", "the log got too long");
      },
    });
    source.exec("COMMIT");
    checkCopy(to);
    return { bytes: pages * pageBytes, ...found };
  } finally {
    source.close();
  }
}

/** Begins the transaction: it sees what is there now. */
function actorIn(source: Database): Omit<CopiedDatabase, "bytes"> {
  const alarm = source.prepare("SELECT value FROM _troupe_meta WHERE key = 'alarm'").get()?.["value"];
  const created = source.prepare("SELECT key FROM _troupe_rows WHERE key = 'created'").get();
  return { alarm: typeof alarm === "number" ? alarm : null, created: created !== undefined };
}

function nobodyIn(source: Database): Omit<CopiedDatabase, "bytes"> {
  source.prepare("SELECT number FROM actors LIMIT 1").get();
  return { alarm: null, created: false };
}

function syncLog(path: string): void {
  // Where there is none, whatever was in it is in the database, and was synced there.
  if (existsSync(`${path}-wal`)) sync(`${path}-wal`);
}

function sync(path: string): void {
  const fd = openSync(path, "r+");
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function logBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Syncs the copy every few MiB: a kernel that gets to write all of a large one at its end makes everybody else's syncs wait
 * for that.
 */
function flusher(path: string): (copiedBytes: number) => void {
  let flushed = 0;
  return (copied) => {
    if (copied - flushed < FLUSH_BYTES) return;
    flushed = copied;
    // No process but this one knows the copy, so nobody's lock on it is lost by a close.
    sync(path);
  };
}

/** A damaged database would be copied as it is, and older backups make place for it. */
function checkCopy(path: string): void {
  const copy = openDatabase(path);
  try {
    const [first] = copy.prepare("PRAGMA quick_check(1)").all();
    const found = String(first?.["quick_check"]);
    if (found !== "ok") throw new CopyEnded("damaged", found);
  } finally {
    copy.close();
  }
}
