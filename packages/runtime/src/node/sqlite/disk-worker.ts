/**
 * The disk thread: waits for a descriptor in shared memory, syncs it, looks whether that meant anything, says how it
 * went. See `disk-thread.ts`.
 *
 * It must import nothing that needs the package's own resolution: it is started by URL.
 */
import { fdatasyncSync, fstatSync, readSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";
import { CUT, cells, DISPLACED, type DiskWorkerData, END_OFFSET, STOP, UNKNOWN_ERROR } from "./disk-cells.ts";
import { isDisplaced } from "./known-file.ts";

/** The first four bytes of every log of SQLite's; the lowest bit says which byte order its checksums have. */
const LOG_MAGIC = 0x377f0682;
const head = Buffer.alloc(4);

function sync(log: { readonly fd: number; readonly end: number }, data: DiskWorkerData): number {
  try {
    fdatasyncSync(log.fd);
    const { size } = fstatSync(log.fd);
    if (size < log.end || (size > 0 && !beginsAsLog(log.fd))) return CUT;
    const place = data.files.findIndex(isDisplaced);
    return place === -1 ? 0 : DISPLACED + place;
  } catch (error) {
    if (error instanceof Error && "errno" in error && typeof error.errno === "number") return error.errno;
    return UNKNOWN_ERROR;
  }
}

/** A log that was emptied while a transaction wrote has its size again, and zeros at its front. */
function beginsAsLog(fd: number): boolean {
  return readSync(fd, head, 0, head.length, 0) === head.length && (head.readUInt32BE() & ~1) === LOG_MAGIC;
}

function serve(data: DiskWorkerData): void {
  const memory = new Int32Array(data.memory);
  const ends = new Float64Array(data.memory, END_OFFSET);
  for (let served = 0; ; ) {
    Atomics.wait(memory, cells.asked, served);
    served = Atomics.load(memory, cells.asked);
    const fd = Atomics.load(memory, cells.descriptor);
    if (fd === STOP) return;
    Atomics.store(memory, cells.result, sync({ fd, end: ends[0] ?? 0 }, data));
    Atomics.store(memory, cells.answered, served);
    Atomics.notify(memory, cells.answered);
  }
}

if (!isMainThread) serve(workerData);
