/**
 * The disk thread: syncs the descriptor that it is asked for, looks whether that meant anything, says how it went. See
 * `disk-thread.ts`.
 *
 * It must import nothing that needs the package's own resolution: it is started by URL.
 */
import { fdatasyncSync, fstatSync, readSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";
import { cellsOf, DISPLACED, type DiskWorkerData, diskCells, END_OFFSET } from "./disk-cells.ts";
import { isDisplaced } from "./known-file.ts";
import { resultOf, serveRequests, syncResults } from "./request-cells.ts";

/** The first four bytes of every log of SQLite's; the lowest bit says which byte order its checksums have. */
const LOG_MAGIC = 0x377f0682;
const head = Buffer.alloc(4);

function sync(log: { readonly fd: number; readonly end: number }, data: DiskWorkerData): number {
  fdatasyncSync(log.fd);
  const { size } = fstatSync(log.fd);
  if (size < log.end || (size > 0 && !beginsAsLog(log.fd))) return syncResults.cut;
  const place = data.files.findIndex(isDisplaced);
  return place === -1 ? 0 : DISPLACED + place;
}

/** A log that was emptied while a transaction wrote has its size again, and zeros at its front. */
function beginsAsLog(fd: number): boolean {
  return readSync(fd, head, 0, head.length, 0) === head.length && (head.readUInt32BE() & ~1) === LOG_MAGIC;
}

function serve(data: DiskWorkerData): void {
  const cells = cellsOf(data.memory);
  const ends = new Float64Array(data.memory, END_OFFSET);
  serveRequests(cells, () => {
    const fd = Atomics.load(cells, diskCells.descriptor);
    const result = resultOf(() => sync({ fd, end: ends[0] ?? 0 }, data));
    Atomics.store(cells, diskCells.result, result);
  });
}

if (!isMainThread) serve(workerData);
