/**
 * DiskThread: fdatasync on a thread of our own.
 *
 * libuv's pool is shared with DNS, zlib and crypto: behind six scrypt calls a sync there took 509 ms. Here the worker
 * sleeps on a cell of shared memory; a request is a store and a notify, the answer comes by `Atomics.waitAsync`. That
 * costs as much as calling fdatasync directly (a MessagePort adds 30 us). Descriptors are process-wide, so the worker
 * gets a number and never opens a file.
 *
 * After each sync it looks whether the files are still where they were (`known-file.ts`) and the log as long as what was
 * written: about 10 us of the 190 of a batch that is synced alone.
 *
 * The thread is unreferenced but for the time of a request: a process that only waits for its disk stays alive, one
 * that has nothing to do may end. `done` is called through `Env.afterTurn`: a settled `waitAsync` is a microtask, and
 * two of them (two shards) may run in one drain with somebody's turn between.
 */
import { getSystemErrorName } from "node:util";
import { Worker } from "node:worker_threads";
import { assert, type Env } from "@troupe/base";
import {
  CELL_COUNT,
  CUT,
  cells,
  DISPLACED,
  type DiskWorkerData,
  END_OFFSET,
  MEMORY_BYTES,
  STOP,
  UNKNOWN_ERROR,
} from "./disk-cells.ts";
import { displacedError, type KnownFile } from "./known-file.ts";
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
  readonly #worker: Worker;
  readonly #log: DiskThreadOptions["log"];
  readonly #files: readonly KnownFile[];
  readonly #memory: Int32Array;
  readonly #end: Float64Array;
  #done: Done | undefined;
  /** Why the thread is gone, if it is. */
  #lost: Error | undefined;

  constructor(options: DiskThreadOptions) {
    this.#env = options.env;
    this.#log = options.log;
    this.#files = options.files;
    const memory = new SharedArrayBuffer(MEMORY_BYTES);
    this.#memory = new Int32Array(memory, 0, CELL_COUNT);
    this.#end = new Float64Array(memory, END_OFFSET);
    const workerData: DiskWorkerData = { memory, files: this.#files };
    this.#worker = new Worker(workerUrl("disk-worker", import.meta.url), {
      workerData,
      execArgv: [],
      name: "troupe-disk",
    });
    this.#worker.unref();
    this.#worker.on("error", (error) => this.#lose(error));
    this.#worker.on("exit", () => this.#lose(new Error("the disk thread ended")));
  }

  /** Syncs the log, then calls back in a macrotask. One at a time. */
  sync(done: Done): void {
    assert(this.#done === undefined, "one sync at a time");
    this.#done = done;
    if (this.#lost !== undefined) {
      this.#env.afterTurn(this.#finish);
      return;
    }
    this.#worker.ref();
    const before = Atomics.load(this.#memory, cells.answered);
    Atomics.store(this.#memory, cells.descriptor, this.#log.fd);
    this.#end[0] = this.#log.end;
    Atomics.add(this.#memory, cells.asked, 1);
    Atomics.notify(this.#memory, cells.asked);
    const answer = Atomics.waitAsync(this.#memory, cells.answered, before);
    if (answer.async) answer.value.then(this.#answered);
    else this.#answered();
  }

  /** Ends the thread. Not while a sync runs. */
  async stop(): Promise<void> {
    assert(this.#done === undefined, "no sync runs");
    if (this.#lost !== undefined) return;
    const exited = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.#worker.ref();
    Atomics.store(this.#memory, cells.descriptor, STOP);
    Atomics.add(this.#memory, cells.asked, 1);
    Atomics.notify(this.#memory, cells.asked);
    await exited;
  }

  readonly #answered = (): void => {
    if (this.#lost === undefined) this.#worker.unref();
    this.#env.afterTurn(this.#finish);
  };

  readonly #finish = (): void => {
    const done = this.#done;
    this.#done = undefined;
    if (done === undefined) return;
    if (this.#lost !== undefined) done(this.#lost);
    else done(this.#errorOf(Atomics.load(this.#memory, cells.result)));
  };

  #lose(error: Error): void {
    this.#lost ??= error;
    if (this.#done !== undefined) this.#env.afterTurn(this.#finish);
  }

  #errorOf(result: number): Error | undefined {
    if (result === 0) return undefined;
    if (result === CUT) return cutError(this.#log.file.path);
    if (result >= DISPLACED) return displacedError(this.#files[result - DISPLACED]);
    if (result === UNKNOWN_ERROR) return new Error("a sync failed");
    const code = getSystemErrorName(result);
    return Object.assign(new Error(`a sync failed: ${code}`), { code, errno: result });
  }
}
