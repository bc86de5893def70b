/**
 * SyncThread: the syncs of actors' own files, on a thread of their own.
 *
 * Who asks while the thread is busy goes with the next request, so that a hundred actors that commit at once cost one
 * message there and one back. The thread is unreferenced while it has nothing to do.
 */
import { Worker } from "node:worker_threads";
import { workerUrl } from "../worker-url.ts";
import type { SyncAnswer, SyncJob, SyncRequest } from "./sync-messages.ts";

interface Waiting {
  readonly job: SyncJob;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A thread that syncs descriptors. It is started by the first sync. */
export class SyncThread {
  #worker: Worker | undefined;
  #waiting: Waiting[] = [];
  #running: readonly Waiting[] | undefined;
  #lost: Error | undefined;

  /** Settles when the descriptor is synced; rejects when nobody knows what the disk holds. */
  sync(job: SyncJob): Promise<void> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      if (this.#running === undefined) this.#send();
    });
  }

  /** Ends the thread; what still waits is refused. */
  async stop(): Promise<void> {
    this.#lost ??= new Error("the sync thread was stopped");
    await this.#worker?.terminate();
  }

  #send(): void {
    const running = this.#waiting;
    this.#waiting = [];
    this.#running = running;
    const request: SyncRequest = { jobs: running.map(({ job }) => job) };
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(workerUrl("sync-worker", import.meta.url), {
      execArgv: [],
      name: "troupe-sync",
    });
    worker.on("message", (answer: SyncAnswer) => this.#answered(answer));
    worker.on("error", (error) => this.#lose(error));
    worker.on("exit", () => this.#lose(new Error("the sync thread ended")));
    return worker;
  }

  #answered({ errors }: SyncAnswer): void {
    const running = this.#running ?? [];
    this.#running = undefined;
    for (const [index, { resolve, reject }] of running.entries()) {
      const error = errors[index];
      if (error === undefined) resolve();
      else reject(new Error(error));
    }
    if (this.#waiting.length > 0) this.#send();
    else this.#worker?.unref();
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    for (const { reject } of [...(this.#running ?? []), ...this.#waiting]) reject(this.#lost);
    this.#running = undefined;
    this.#waiting = [];
  }
}
