/**
 * SyncThreads: the syncs of actors' own files, on threads of their own.
 *
 * A disk serves many syncs at once for the price of one: the file system's journal and the disk's cache are flushed for
 * all who wait. One after the other each would pay for itself, so a few threads share what waits: a thread that is free
 * takes its part of it, and who asks meanwhile goes with the next request.
 *
 * A further thread is started when as many syncs wait as there are threads, one at a time, and not before some had to wait: a
 * process that has just begun, or does one thing after the other, doesn't pay for four of them. To start one takes as
 * much of a processor as a hundred syncs, and the first actors of a process would wait for it. They are unreferenced while they have nothing to do.
 * Should one be lost nobody knows what it has synced: all of them give up, and every file's gate breaks.
 *
 * One that can't be started (a thread takes descriptors, and there may be none left) has synced nothing: the others do its
 * part from then on. With no other the syncs happen here, where everybody waits for them, and the next one tries again.
 */
import { closeSync, openSync } from "node:fs";
import { displacedError, isDisplaced, type KnownFile, knownFile } from "../known-file.ts";
import { kinds, MOST_JOBS, type SyncJob } from "./sync-cells.ts";
import { syncNow } from "./sync-job.ts";
import { jobError, SyncLane, type WaitingSync } from "./sync-lane.ts";

/** More make rounds shorter on some disks; on none that was tried by much. */
const THREADS = 4;
/** So many syncs had to wait since the last thread was started, or there is no further one. */
const LATE = 16;

/** Threads that sync descriptors of one directory. */
export class SyncThreads {
  /** Of the directory: open from the start, so that its sync doesn't fail for want of a descriptor. */
  readonly #fd: number;
  readonly #place: KnownFile;
  readonly #displaced: (error: Error) => void;
  /** Fewer than `THREADS` once one couldn't be started. */
  #most = THREADS;
  readonly #lanes: SyncLane[] = [];
  #waiting: WaitingSync[] = [];
  /** Had to wait since a thread was started. */
  #late = 0;
  /** A sync of the directory that no thread has yet. */
  #entries: Promise<void> | undefined;
  #lost: Error | undefined;

  /** `directory`: where the files are. `displaced`: its path names another one now, or none. */
  constructor(directory: string, displaced: (error: Error) => void = () => {}) {
    this.#fd = openSync(directory, "r");
    this.#place = knownFile(directory);
    this.#displaced = displaced;
  }

  /** Settles when the descriptor is synced; rejects when nobody knows what the disk holds. */
  sync(job: SyncJob): Promise<void> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#send();
      if (this.#waiting.length > 0) this.#late += 1;
    });
  }

  /**
   * Settles when all entries that the directory has now are durable. Many who ask at once share one sync. Rejects when another
   * directory has its name: files are made there, and the sync of this one says nothing of them.
   */
  syncDirectory(): Promise<void> {
    if (this.#entries !== undefined) return this.#entries;
    const synced = this.sync({ kind: "directory", fd: this.#fd }).then(() => this.#checkPlace());
    // A thread that has it already may have looked before the next entry was made.
    if (this.#waiting.some(({ job }) => job.kind === "directory")) this.#entries = synced;
    return synced;
  }

  #checkPlace(): void {
    if (!isDisplaced(this.#place)) return;
    const error = displacedError(this.#place);
    this.#displaced(error);
    throw error;
  }

  /** Ends the threads; what still waits is refused. */
  async stop(): Promise<void> {
    this.#lost ??= new Error("the sync threads were stopped");
    await Promise.all(this.#lanes.map((lane) => lane.stop()));
    closeSync(this.#fd);
  }

  readonly #send = (): void => {
    while (this.#waiting.length > 0) {
      const lane = this.#freeLane();
      if (lane === undefined) return;
      // Its part: the others are free soon.
      const part = Math.min(Math.ceil(this.#waiting.length / this.#most), MOST_JOBS);
      const jobs = this.#waiting.splice(0, part);
      if (jobs.some(({ job }) => job.kind === "directory")) this.#entries = undefined;
      lane.send(jobs);
    }
  };

  #freeLane(): SyncLane | undefined {
    const free = this.#lanes.find((lane) => lane.isFree);
    if (free !== undefined || this.#lanes.length >= this.#most) return free;
    return this.#lanes.length === 0 || this.#areTooFew() ? this.#startLane() : undefined;
  }

  #areTooFew(): boolean {
    if (this.#late < LATE || this.#waiting.length < this.#lanes.length) return false;
    return this.#lanes.every((lane) => !lane.isStarting);
  }

  #startLane(): SyncLane | undefined {
    try {
      const lane = new SyncLane({ free: this.#send, lost: (one, error) => this.#gone(one, error) });
      this.#lanes.push(lane);
      this.#late = 0;
      return lane;
    } catch {
      // The system gives no thread; that there is no descriptor for one is heard later.
      this.#goOnWithout();
      return undefined;
    }
  }

  #gone(lane: SyncLane, error: Error): void {
    const place = this.#lanes.indexOf(lane);
    // Heard twice.
    if (place === -1) return;
    if (lane.began || this.#lost !== undefined) return this.#lose(error);
    this.#lanes.splice(place, 1);
    this.#waiting.unshift(...lane.giveUp());
    this.#goOnWithout();
  }

  #goOnWithout(): void {
    this.#most = Math.max(1, this.#lanes.length);
    if (this.#lanes.length > 0) this.#send();
    else this.#syncHere();
  }

  #syncHere(): void {
    const jobs = this.#waiting;
    this.#waiting = [];
    this.#entries = undefined;
    for (const { job, resolve, reject } of jobs) {
      const error = jobError(syncNow(kinds[job.kind], job.fd, job.kind === "log" ? job.end : 0));
      if (error === undefined) resolve();
      else reject(error);
    }
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    const all = [...this.#lanes.flatMap((lane) => lane.giveUp()), ...this.#waiting];
    this.#waiting = [];
    for (const { reject } of all) reject(this.#lost);
  }
}
