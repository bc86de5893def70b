/**
 * A thread that syncs the logs of actors' own files: one after the other, as many as it is asked for at once. It waits for a
 * request in shared memory. See `sync-threads.ts`. It must import nothing that needs the package's own resolution: it is
 * started by URL.
 */
import { fdatasyncSync, fstatSync, fsyncSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";
import { resultOf, serveRequests, syncResults } from "../request-cells.ts";
import { cellsOf, ENDS_OFFSET, jobCells, kinds, type SyncWorkerData, syncCells } from "./sync-cells.ts";

function sync(kind: number, fd: number, end: number): number {
  if (kind === kinds.directory) {
    fsyncSync(fd);
    return 0;
  }
  fdatasyncSync(fd);
  if (kind === kinds.file) return 0;
  // SQLite writes to a descriptor that it opened: one whose file is gone, or was cut, succeeds and means nothing.
  const { nlink, size } = fstatSync(fd);
  return nlink === 0 || size < end ? syncResults.cut : 0;
}

function serve(data: SyncWorkerData): void {
  const cells = cellsOf(data.memory);
  const ends = new Float64Array(data.memory, ENDS_OFFSET);
  serveRequests(cells, () => {
    const count = Atomics.load(cells, syncCells.count);
    for (let job = 0; job < count; job += 1) {
      const at = syncCells.jobs + job * jobCells.size;
      const fd = Atomics.load(cells, at + jobCells.descriptor);
      const kind = Atomics.load(cells, at + jobCells.kind);
      const result = resultOf(() => sync(kind, fd, ends[job] ?? 0));
      Atomics.store(cells, at + jobCells.result, result);
    }
  });
}

if (!isMainThread) serve(workerData);
