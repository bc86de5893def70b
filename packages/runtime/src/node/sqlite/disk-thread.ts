/**
 * DiskThread: fdatasync on a thread of our own.
 *
 * libuv's pool is shared with DNS, zlib and crypto: behind six scrypt calls a sync there took 509 ms. Here the worker
 * sleeps on a cell of shared memory; a request is a store and a notify, the answer comes by `Atomics.waitAsync`. That
 * costs as much as calling fdatasync directly (a MessagePort adds 30 us). Descriptors are process-wide, so the worker
 * gets a number and never opens a file.
 *
 * The thread is unreferenced but for the time of a request: a process that only waits for its disk stays alive, one
 * that has nothing to do may end. `done` is called through `Env.afterTurn`: a settled `waitAsync` is a microtask, and
 * two of them (two shards) may run in one drain with somebody's turn between.
 */
import { getSystemErrorName } from "node:util";
import { Worker } from "node:worker_threads";
import { assert, type Env } from "@troupe/base";
import { CELL_COUNT, cells, DELETED, STOP, UNKNOWN_ERROR } from "./disk-cells.ts";
import { workerUrl } from "./worker-url.ts";

type Done = (error?: unknown) => void;

/** A thread that syncs files. */
export class DiskThread {
  readonly #env: Pick<Env, "afterTurn">;
  readonly #worker: Worker;
  readonly #memory = new Int32Array(new SharedArrayBuffer(CELL_COUNT * Int32Array.BYTES_PER_ELEMENT));
  #done: Done | undefined;
  /** Why the thread is gone, if it is. */
  #lost: Error | undefined;

  constructor(env: Pick<Env, "afterTurn">, name: string) {
    this.#env = env;
    this.#worker = new Worker(workerUrl("disk-worker", import.meta.url), {
      workerData: this.#memory,
      execArgv: [],
      name,
    });
    this.#worker.unref();
    this.#worker.on("error", (error) => this.#lose(error));
    this.#worker.on("exit", () => this.#lose(new Error("the disk thread ended")));
  }

  /** Syncs the file behind `fd`, then calls back in a macrotask. One at a time. */
  sync(fd: number, done: Done): void {
    assert(this.#done === undefined, "one sync at a time");
    this.#done = done;
    if (this.#lost !== undefined) {
      this.#env.afterTurn(this.#finish);
      return;
    }
    this.#worker.ref();
    const before = Atomics.load(this.#memory, cells.answered);
    Atomics.store(this.#memory, cells.descriptor, fd);
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
    else done(errorOf(Atomics.load(this.#memory, cells.result)));
  };

  #lose(error: Error): void {
    this.#lost ??= error;
    if (this.#done !== undefined) this.#env.afterTurn(this.#finish);
  }
}

function errorOf(result: number): Error | undefined {
  if (result === 0) return undefined;
  if (result === DELETED) return new Error("the write-ahead log was deleted under the process");
  if (result === UNKNOWN_ERROR) return new Error("fdatasync failed");
  const code = getSystemErrorName(result);
  return Object.assign(new Error(`fdatasync failed: ${code}`), { code, errno: result });
}
