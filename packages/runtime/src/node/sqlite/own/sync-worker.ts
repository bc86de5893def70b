/**
 * A thread that syncs the logs of actors' own files: one after the other, as many as it is asked for at once. See
 * `sync-threads.ts`. It must import nothing that needs the package's own resolution: it is started by URL.
 */
import { fdatasyncSync, fstatSync, fsyncSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import type { SyncAnswer, SyncJob, SyncRequest } from "./sync-messages.ts";

function sync(job: SyncJob): string | undefined {
  try {
    if (job.kind === "directory") {
      fsyncSync(job.fd);
      return undefined;
    }
    fdatasyncSync(job.fd);
    if (job.kind === "file") return undefined;
    // SQLite writes to a descriptor that it opened: one whose file is gone, or was cut, succeeds and means nothing.
    const { nlink, size } = fstatSync(job.fd);
    return nlink === 0 || size < job.end ? "its log was deleted or cut under the process" : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function serve(request: SyncRequest): SyncAnswer {
  return { errors: request.jobs.map(sync) };
}

parentPort?.on("message", (request: SyncRequest) => parentPort?.postMessage(serve(request)));
