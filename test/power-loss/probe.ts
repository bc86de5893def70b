/**
 * The program that proves the shim: writes rows on this thread, syncs them on another, prints a row's number when the
 * sync that covers it has returned.
 *
 *   node probe.ts append | append-unsynced-name | append-early | sqlite   DIRECTORY
 *
 * `append-early` has the fault that the whole test is there for: it prints a row's number when its sync begins.
 *
 * At its start it prints `found <rows>` after making durable what it found, or `damaged <why>`; then `running`.
 */

import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

interface Rows {
  /** Called once. The number of whole rows that are there, all of them durable now. */
  open(): number;
  append(row: number): void;
  /** What the other thread has to sync; asked for after the first append. */
  descriptor(): number;
  /** Called when no sync runs. */
  tidy(): void;
}

/** Row n: its number and length, then as many bytes of n. Rows of 8 to 3,000 bytes. */
function encodeRow(row: number): Buffer {
  const bytes = Buffer.alloc(8 + ((row * 7919) % 2993), row & 0xff);
  bytes.writeUInt32LE(row, 0);
  bytes.writeUInt32LE(bytes.length, 4);
  return bytes;
}

class AppendedRows implements Rows {
  readonly #directory: string;
  readonly #syncName: boolean;
  #fd = -1;
  #end = 0;

  constructor(directory: string, syncName: boolean) {
    this.#directory = directory;
    this.#syncName = syncName;
  }

  open(): number {
    this.#fd = openSync(join(this.#directory, "rows"), "a+");
    const bytes = readFileSync(join(this.#directory, "rows"));
    let rows = 0;
    for (;;) {
      const next = encodeRow(rows + 1);
      if (!bytes.subarray(this.#end, this.#end + next.length).equals(next)) break;
      this.#end += next.length;
      rows++;
    }
    closeSync(this.#fd);
    this.#fd = openSync(join(this.#directory, "rows"), "r+");
    fsyncSync(this.#fd);
    if (this.#syncName) syncDirectory(this.#directory);
    return rows;
  }

  append(row: number): void {
    const bytes = encodeRow(row);
    writeSync(this.#fd, bytes, 0, bytes.length, this.#end);
    this.#end += bytes.length;
  }

  descriptor(): number {
    return this.#fd;
  }

  tidy(): void {}
}

class SqliteRows implements Rows {
  readonly #path: string;
  readonly #db: DatabaseSync;
  #fd = -1;
  #tidied = 0;

  constructor(directory: string) {
    this.#path = join(directory, "rows.db");
    this.#db = new DatabaseSync(this.#path);
  }

  open(): number {
    this.#db.exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=FULL");
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous=NORMAL");
    this.#db.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, bytes BLOB)");
    const check = this.#db.prepare("PRAGMA integrity_check").get()?.integrity_check;
    if (check !== "ok") throw new Error(String(check));
    const found = this.#db.prepare("SELECT count(*) AS rows, coalesce(max(id), 0) AS last FROM rows").get();
    if (found?.rows !== found?.last) throw new Error(`${found?.rows} rows up to ${found?.last}`);
    return Number(found?.rows);
  }

  append(row: number): void {
    this.#db.prepare("INSERT INTO rows VALUES (?, ?)").run(row, encodeRow(row));
  }

  descriptor(): number {
    if (this.#fd < 0) this.#fd = openSync(`${this.#path}-wal`, "r+");
    return this.#fd;
  }

  /** Checkpoints of both kinds: the WAL starts again from its beginning, or is cut to nothing. */
  tidy(): void {
    const kind = ++this.#tidied % 40;
    if (kind === 13) this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    if (kind === 39) this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, "r");
  fsyncSync(fd);
  closeSync(fd);
}

function openRows(mode: string, directory: string): Rows {
  if (mode === "sqlite") return new SqliteRows(directory);
  return new AppendedRows(directory, mode !== "append-unsynced-name");
}

function main(mode: string, directory: string): void {
  const rows = openRows(mode, directory);
  let last = rows.open();
  let acknowledged = last;
  let syncing = false;
  const acknowledge = (upTo: number) => {
    while (acknowledged < upTo) writeSync(1, `${++acknowledged}\n`);
  };
  writeSync(1, `found ${last}\n`);
  const syncer = new Worker(import.meta.filename, { workerData: "syncer" });
  syncer.on("message", (upTo: number) => {
    if (upTo === 0) {
      writeSync(1, "running\n");
      return turn();
    }
    acknowledge(upTo);
    rows.tidy();
    syncing = false;
  });
  const turn = () => {
    if (last - acknowledged < 20) rows.append(++last);
    if (!syncing) {
      syncing = true;
      syncer.postMessage({ upTo: last, fd: rows.descriptor() });
      if (mode === "append-early") acknowledge(last);
    }
    setImmediate(turn);
  };
}

if (isMainThread) {
  try {
    main(process.argv[2] ?? "", process.argv[3] ?? "");
  } catch (error) {
    writeSync(1, `damaged ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
} else if (workerData === "syncer") {
  parentPort?.on("message", ({ upTo, fd }: { upTo: number; fd: number }) => {
    fdatasyncSync(fd);
    parentPort?.postMessage(upTo);
  });
  parentPort?.postMessage(0);
}
