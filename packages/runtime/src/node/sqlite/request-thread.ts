/**
 * RequestThread: a thread that sleeps on a cell of shared memory until it is asked.
 *
 * libuv's pool is shared with DNS, zlib and crypto: behind six scrypt calls a sync there took 509 ms. Here a request is a
 * few stores and a notify, and the answer comes by `Atomics.waitAsync`. That costs as much as calling fdatasync directly
 * (a MessagePort adds 30 us). Descriptors are process-wide, so the thread gets numbers and never opens a file.
 *
 * The thread is unreferenced but for the time of a request: a process that only waits for its disk stays alive, one
 * that has nothing to do may end.
 */
import { getSystemErrorName } from "node:util";
import { Worker } from "node:worker_threads";
import type { BusyPoll, PolledAnswer } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { nodeBusyPoll } from "../busy-poll.ts";
import { REQUEST_CELL_COUNT, requestCells, syncResults } from "./request-cells.ts";

/** What a thread is made of. */
export interface RequestThreadOptions {
  readonly program: URL;
  readonly name: string;
  readonly workerData: { readonly memory: SharedArrayBuffer };
  /**
   * It has ended, or failed: what it was asked for last may have been done, unless it never {@link RequestThread.began}.
   * Told more than once.
   */
  readonly lost: (error: Error) => void;
  /** Default: the process's. */
  readonly poll?: BusyPoll;
}

/** A thread, asked one thing at a time. */
export class RequestThread {
  readonly #worker: Worker;
  readonly #cells: Int32Array;
  readonly #poll: BusyPoll;
  /** The answer before the one that is waited for. */
  #before = 0;
  #answered: () => void = () => {};

  constructor({ program, name, workerData, lost, poll = nodeBusyPoll() }: RequestThreadOptions) {
    this.#poll = poll;
    this.#cells = new Int32Array(workerData.memory, 0, REQUEST_CELL_COUNT);
    this.#worker = new Worker(program, { workerData, execArgv: [], name });
    this.#worker.unref();
    this.#worker.on("error", lost);
    this.#worker.on("exit", () => lost(new Error(`the thread ${name} ended`)));
  }

  /** False while it has surely done nothing: a process without a descriptor to spare can't start one. */
  get began(): boolean {
    return Atomics.load(this.#cells, requestCells.began) === 1;
  }

  /** It will be asked in a moment: where that pays, it wakes meanwhile, and looks for the request. */
  soon(): void {
    if (!this.#poll.polls) return;
    this.#look(limits.busyLookMs);
    Atomics.notify(this.#cells, requestCells.asked);
  }

  /** What is asked for is in the memory already. Calls back in a microtask of its own; never when the thread is lost. */
  ask(answered: () => void): void {
    this.#worker.ref();
    this.#look(this.#poll.lookMs);
    this.#answered = answered;
    this.#before = Atomics.load(this.#cells, requestCells.answered);
    Atomics.add(this.#cells, requestCells.asked, 1);
    Atomics.notify(this.#cells, requestCells.asked);
    this.#poll.expect(this.#answer);
  }

  readonly #answer: PolledAnswer = {
    look: () => {
      const isThere = Atomics.load(this.#cells, requestCells.answered) !== this.#before;
      if (isThere) this.#arrived();
      return isThere;
    },
    sleep: () => {
      const answer = Atomics.waitAsync(this.#cells, requestCells.answered, this.#before);
      if (answer.async) answer.value.then(this.#arrived);
      else queueMicrotask(this.#arrived);
    },
  };

  readonly #arrived = (): void => {
    this.#poll.arrived();
    this.#answered();
  };

  /** How long it looks for the next request when it has served one, or was woken for none. */
  #look(ms: number): void {
    Atomics.store(this.#cells, requestCells.lookUs, ms * 1_000);
  }

  /** Nobody waits for the answer any more, and nothing looks for it: the thread is lost. */
  giveUp(): void {
    this.rest();
    Atomics.add(this.#cells, requestCells.answered, 1);
    Atomics.notify(this.#cells, requestCells.answered);
  }

  /** Nothing more is asked for now: it keeps no process alive. */
  rest(): void {
    this.#worker.unref();
  }

  /** Ends the thread. A request that is under way has no answer. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Why a sync failed; not of results that are a request's own, nor of a log that was cut. */
export function syncError(result: number): Error {
  if (result === syncResults.unknown) return new Error("a sync failed");
  const code = getSystemErrorName(result);
  return Object.assign(new Error(`a sync failed: ${code}`), { code, errno: result });
}
