/**
 * A thread that syncs the logs of actors' own files: one after the other, as many as it is asked for at once. It waits for a
 * request in shared memory. See `sync-threads.ts`. It must import nothing that needs the package's own resolution: it is
 * started by URL.
 */
import { isMainThread, workerData } from "node:worker_threads";
import { serveRequests } from "../request-cells.ts";
import { cellsOf, ENDS_OFFSET, jobCells, type SyncWorkerData, syncCells } from "./sync-cells.ts";
import { syncNow } from "./sync-job.ts";

function serve(data: SyncWorkerData): void {
  const cells = cellsOf(data.memory);
  const ends = new Float64Array(data.memory, ENDS_OFFSET);
  serveRequests(cells, () => {
    const count = Atomics.load(cells, syncCells.count);
    for (let job = 0; job < count; job += 1) {
      const at = syncCells.jobs + job * jobCells.size;
      const fd = Atomics.load(cells, at + jobCells.descriptor);
      const kind = Atomics.load(cells, at + jobCells.kind);
      Atomics.store(cells, at + jobCells.result, syncNow(kind, fd, ends[job] ?? 0));
    }
  });
}

if (!isMainThread) serve(workerData);
