/**
 * SyncLane: one thread that syncs, and what it was asked for. A request is a few stores and a notify, the answer comes by
 * `Atomics.waitAsync`: a message each way costs more than the sync itself on a fast disk (`disk-thread.ts` has the figures).
 */
import { getSystemErrorName } from "node:util";
import { Worker } from "node:worker_threads";
import { assert } from "@troupe/base";
import { workerUrl } from "../worker-url.ts";
import {
  CUT,
  cells,
  ENDS_OFFSET,
  jobCells,
  kinds,
  MEMORY_BYTES,
  MOST_JOBS,
  type SyncJob,
  type SyncWorkerData,
  UNKNOWN_ERROR,
} from "./sync-cells.ts";

/** A job, and who waits for it. */
export interface WaitingSync {
  readonly job: SyncJob;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Who owns a lane. */
export interface SyncLaneOwner {
  /** It has answered, and is free. */
  readonly free: () => void;
  /** Nobody knows what it has synced. */
  readonly lost: (error: Error) => void;
}

const NONE: readonly WaitingSync[] = [];

/** A thread, and its request. */
export class SyncLane {
  readonly #owner: SyncLaneOwner;
  readonly #worker: Worker;
  readonly #memory: Int32Array;
  readonly #ends: Float64Array;
  #running = NONE;

  constructor(owner: SyncLaneOwner) {
    this.#owner = owner;
    const memory = new SharedArrayBuffer(MEMORY_BYTES);
    this.#memory = new Int32Array(memory, 0, ENDS_OFFSET / Int32Array.BYTES_PER_ELEMENT);
    this.#ends = new Float64Array(memory, ENDS_OFFSET);
    const workerData: SyncWorkerData = { memory };
    this.#worker = new Worker(workerUrl("sync-worker", import.meta.url), {
      workerData,
      execArgv: [],
      name: "troupe-sync",
    });
    this.#worker.unref();
    this.#worker.on("error", (error) => owner.lost(error));
    this.#worker.on("exit", () => owner.lost(new Error("a sync thread ended")));
  }

  get isFree(): boolean {
    return this.#running.length === 0;
  }

  /** Syncs them, in order. Only when it is free; at most `MOST_JOBS`. */
  send(jobs: readonly WaitingSync[]): void {
    assert(this.isFree && jobs.length <= MOST_JOBS, "one request at a time");
    this.#running = jobs;
    for (const [index, { job }] of jobs.entries()) this.#write(index, job);
    Atomics.store(this.#memory, cells.count, jobs.length);
    this.#worker.ref();
    const before = Atomics.load(this.#memory, cells.answered);
    Atomics.add(this.#memory, cells.asked, 1);
    Atomics.notify(this.#memory, cells.asked);
    const answer = Atomics.waitAsync(this.#memory, cells.answered, before);
    if (answer.async) answer.value.then(this.#answered);
    else queueMicrotask(this.#answered);
  }

  /** Gives up what runs: the thread is gone, or ends. */
  giveUp(): readonly WaitingSync[] {
    const running = this.#running;
    this.#running = NONE;
    return running;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #write(index: number, job: SyncJob): void {
    const at = cells.jobs + index * jobCells.size;
    Atomics.store(this.#memory, at + jobCells.descriptor, job.fd);
    Atomics.store(this.#memory, at + jobCells.kind, kinds[job.kind]);
    this.#ends[index] = job.kind === "log" ? job.end : 0;
  }

  readonly #answered = (): void => {
    const running = this.#running;
    if (running.length === 0) return;
    this.#running = NONE;
    for (const [index, { resolve, reject }] of running.entries()) {
      const error = this.#errorOf(index);
      if (error === undefined) resolve();
      else reject(error);
    }
    this.#owner.free();
    if (this.isFree) this.#worker.unref();
  };

  #errorOf(index: number): Error | undefined {
    const result = Atomics.load(this.#memory, cells.jobs + index * jobCells.size + jobCells.result);
    if (result === 0) return undefined;
    if (result === CUT) return new Error("its log was deleted or cut under the process");
    if (result === UNKNOWN_ERROR) return new Error("a sync failed");
    const code = getSystemErrorName(result);
    return Object.assign(new Error(`a sync failed: ${code}`), { code, errno: result });
  }
}
