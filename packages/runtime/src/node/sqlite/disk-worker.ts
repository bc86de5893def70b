/**
 * The disk thread: waits for a descriptor in shared memory, syncs it, says how it went. See `disk-thread.ts`.
 *
 * It must import nothing that needs the package's own resolution: it is started by URL.
 */
import { fdatasyncSync, fstatSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { cells, DELETED, STOP, UNKNOWN_ERROR } from "./disk-cells.ts";

function sync(fd: number): number {
  try {
    fdatasyncSync(fd);
    // A deleted file syncs without an error, and what is in it is gone with the last descriptor.
    return fstatSync(fd).nlink === 0 ? DELETED : 0;
  } catch (error) {
    if (error instanceof Error && "errno" in error && typeof error.errno === "number") return error.errno;
    return UNKNOWN_ERROR;
  }
}

function serve(memory: Int32Array): void {
  for (let served = 0; ; ) {
    Atomics.wait(memory, cells.asked, served);
    served = Atomics.load(memory, cells.asked);
    const fd = Atomics.load(memory, cells.descriptor);
    if (fd === STOP) return;
    Atomics.store(memory, cells.result, sync(fd));
    Atomics.store(memory, cells.answered, served);
    Atomics.notify(memory, cells.answered);
  }
}

if (workerData instanceof Int32Array) serve(workerData);
