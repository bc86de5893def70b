/** SyncLane: one thread that syncs (`request-thread.ts`), and what it was asked for. */
import { assert } from "@troupe/base";
import { syncResults } from "../request-cells.ts";
import { RequestThread, syncError } from "../request-thread.ts";
import { workerUrl } from "../worker-url.ts";
import {
  cellsOf,
  ENDS_OFFSET,
  jobCells,
  kinds,
  MEMORY_BYTES,
  MOST_JOBS,
  type SyncJob,
  type SyncWorkerData,
  syncCells,
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
  /** Its thread is gone, and nobody knows what it has synced: nothing, if it never {@link SyncLane.began}. */
  readonly lost: (lane: SyncLane, error: Error) => void;
}

const NONE: readonly WaitingSync[] = [];

/** A thread, and its request. */
export class SyncLane {
  readonly #owner: SyncLaneOwner;
  readonly #thread: RequestThread;
  readonly #cells: Int32Array;
  readonly #ends: Float64Array;
  #running = NONE;
  #hasAnswered = false;

  constructor(owner: SyncLaneOwner) {
    this.#owner = owner;
    const memory = new SharedArrayBuffer(MEMORY_BYTES);
    this.#cells = cellsOf(memory);
    this.#ends = new Float64Array(memory, ENDS_OFFSET);
    const workerData: SyncWorkerData = { memory };
    this.#thread = new RequestThread({
      program: workerUrl("sync-worker", import.meta.url),
      name: "troupe-sync",
      workerData,
      lost: (error) => owner.lost(this, error),
    });
  }

  get isFree(): boolean {
    return this.#running.length === 0;
  }

  /** False while its thread has surely synced nothing. */
  get began(): boolean {
    return this.#thread.began;
  }

  /** True until it has answered for the first time. */
  get isStarting(): boolean {
    return !this.#hasAnswered;
  }

  /** Syncs them, in order. Only when it is free; at most `MOST_JOBS`. */
  send(jobs: readonly WaitingSync[]): void {
    assert(this.isFree && jobs.length <= MOST_JOBS, "one request at a time");
    this.#running = jobs;
    for (const [index, { job }] of jobs.entries()) this.#write(index, job);
    Atomics.store(this.#cells, syncCells.count, jobs.length);
    this.#thread.ask(this.#answered);
  }

  /** Gives up what runs: the thread is gone, or ends. */
  giveUp(): readonly WaitingSync[] {
    const running = this.#running;
    this.#running = NONE;
    if (running.length > 0) this.#thread.giveUp();
    return running;
  }

  async stop(): Promise<void> {
    await this.#thread.stop();
  }

  #write(index: number, job: SyncJob): void {
    const at = syncCells.jobs + index * jobCells.size;
    Atomics.store(this.#cells, at + jobCells.descriptor, job.fd);
    Atomics.store(this.#cells, at + jobCells.kind, kinds[job.kind]);
    this.#ends[index] = job.kind === "log" ? job.end : 0;
  }

  readonly #answered = (): void => {
    const running = this.#running;
    if (running.length === 0) return;
    this.#running = NONE;
    this.#hasAnswered = true;
    for (const [index, { resolve, reject }] of running.entries()) {
      const error = this.#errorOf(index);
      if (error === undefined) resolve();
      else reject(error);
    }
    this.#owner.free();
    if (this.isFree) this.#thread.rest();
  };

  #errorOf(index: number): Error | undefined {
    const result = Atomics.load(this.#cells, syncCells.jobs + index * jobCells.size + jobCells.result);
    return jobError(result);
  }
}

/** Why a job failed, if it did. */
export function jobError(result: number): Error | undefined {
  if (result === 0) return undefined;
  return result === syncResults.cut
    ? new Error("its log was deleted or cut under the process")
    : syncError(result);
}
