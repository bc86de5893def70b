/**
 * A thread that syncs the logs of actors' own files: one after the other, as many as it is asked for at once. It waits for a
 * request in shared memory. See `sync-threads.ts`. It must import nothing that needs the package's own resolution: it is
 * started by URL.
 */
import { fdatasyncSync, fstatSync, fsyncSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";
import {
  CUT,
  cells,
  ENDS_OFFSET,
  jobCells,
  kinds,
  type SyncWorkerData,
  UNKNOWN_ERROR,
} from "./sync-cells.ts";

function sync(kind: number, fd: number, end: number): number {
  try {
    if (kind === kinds.directory) {
      fsyncSync(fd);
      return 0;
    }
    fdatasyncSync(fd);
    if (kind === kinds.file) return 0;
    // SQLite writes to a descriptor that it opened: one whose file is gone, or was cut, succeeds and means nothing.
    const { nlink, size } = fstatSync(fd);
    return nlink === 0 || size < end ? CUT : 0;
  } catch (error) {
    if (error instanceof Error && "errno" in error && typeof error.errno === "number") return error.errno;
    return UNKNOWN_ERROR;
  }
}

function serve(data: SyncWorkerData): void {
  const memory = new Int32Array(data.memory, 0, ENDS_OFFSET / Int32Array.BYTES_PER_ELEMENT);
  const ends = new Float64Array(data.memory, ENDS_OFFSET);
  for (let served = 0; ; ) {
    Atomics.wait(memory, cells.asked, served);
    served = Atomics.load(memory, cells.asked);
    const count = Atomics.load(memory, cells.count);
    for (let job = 0; job < count; job += 1) {
      const at = cells.jobs + job * jobCells.size;
      const fd = Atomics.load(memory, at + jobCells.descriptor);
      const kind = Atomics.load(memory, at + jobCells.kind);
      Atomics.store(memory, at + jobCells.result, sync(kind, fd, ends[job] ?? 0));
    }
    Atomics.store(memory, cells.answered, served);
    Atomics.notify(memory, cells.answered);
  }
}

if (!isMainThread) serve(workerData);
