/**
 * DiskThread: fdatasync on a thread of our own (`request-thread.ts`).
 *
 * After each sync it looks whether the files are still where they were (`known-file.ts`) and the log as long as what was
 * written: about 10 us of the 190 of a batch that is synced alone.
 *
 * `done` is called through `Env.afterTurn`: a settled `waitAsync` is a microtask, and two of them (two shards) may run in
 * one drain with somebody's turn between.
 */
import { assert, type Env } from "@troupe/base";
import {
  cellsOf,
  DISPLACED,
  type DiskWorkerData,
  diskCells,
  END_OFFSET,
  MEMORY_BYTES,
} from "./disk-cells.ts";
import { displacedError, type KnownFile } from "./known-file.ts";
import { syncResults } from "./request-cells.ts";
import { RequestThread, syncError } from "./request-thread.ts";
import { cutError, type WalDescriptor } from "./wal-descriptor.ts";
import { workerUrl } from "./worker-url.ts";

type Done = (error?: unknown) => void;

/** What a disk thread is made of. */
export interface DiskThreadOptions {
  readonly env: Pick<Env, "afterTurn">;
  readonly log: Pick<WalDescriptor, "fd" | "end" | "file">;
  /** A sync fails when one of them isn't where it was. The log is one of them. */
  readonly files: readonly KnownFile[];
}

/** A thread that syncs a log. */
export class DiskThread {
  readonly #env: Pick<Env, "afterTurn">;
  readonly #thread: RequestThread;
  readonly #log: DiskThreadOptions["log"];
  readonly #files: readonly KnownFile[];
  readonly #cells: Int32Array;
  readonly #end: Float64Array;
  #done: Done | undefined;
  /** Why the thread is gone, if it is. */
  #lost: Error | undefined;

  constructor(options: DiskThreadOptions) {
    this.#env = options.env;
    this.#log = options.log;
    this.#files = options.files;
    const memory = new SharedArrayBuffer(MEMORY_BYTES);
    this.#cells = cellsOf(memory);
    this.#end = new Float64Array(memory, END_OFFSET);
    const workerData: DiskWorkerData = { memory, files: this.#files };
    this.#thread = new RequestThread({
      program: workerUrl("disk-worker", import.meta.url),
      name: "troupe-disk",
      workerData,
      lost: (error) => this.#lose(error),
    });
  }

  /** A sync follows at once. */
  soon(): void {
    this.#thread.soon();
  }

  /** Syncs the log, then calls back in a macrotask. One at a time. */
  sync(done: Done): void {
    assert(this.#done === undefined, "one sync at a time");
    this.#done = done;
    if (this.#lost !== undefined) {
      this.#env.afterTurn(this.#finish);
      return;
    }
    Atomics.store(this.#cells, diskCells.descriptor, this.#log.fd);
    this.#end[0] = this.#log.end;
    this.#thread.ask(this.#answered);
  }

  /** Ends the thread. Not while a sync runs. */
  async stop(): Promise<void> {
    assert(this.#done === undefined, "no sync runs");
    await this.#thread.stop();
  }

  readonly #answered = (): void => {
    this.#thread.rest();
    this.#env.afterTurn(this.#finish);
  };

  readonly #finish = (): void => {
    const done = this.#done;
    this.#done = undefined;
    if (done === undefined) return;
    if (this.#lost !== undefined) done(this.#lost);
    else done(this.#errorOf(Atomics.load(this.#cells, diskCells.result)));
  };

  #lose(error: Error): void {
    this.#lost ??= error;
    if (this.#done !== undefined) this.#env.afterTurn(this.#finish);
  }

  #errorOf(result: number): Error | undefined {
    if (result === 0) return undefined;
    if (result === syncResults.cut) return cutError(this.#log.file.path);
    if (result >= DISPLACED) return displacedError(this.#files[result - DISPLACED]);
    return syncError(result);
  }
}
