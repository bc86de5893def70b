/**
 * WorkerPool: the workers that a definition's embedded sandboxes share.
 *
 * A sandbox has no worker of its own: each operation borrows one, preferably the one that has its files. What finds all
 * workers at work waits its turn, in order and up to a limit. Workers are started when they are needed and end when they
 * were idle for a while, when they are spent, or when nobody uses the pool any more: a registry that has stopped leaves none behind. While one runs
 * there is always a worker, since the first thing that a worker does, to load the shell, takes longer than all that follows.
 */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../../errors.ts";
import type { SandboxWorker } from "./sandbox-worker.ts";

interface Waiting {
  readonly sandbox: number;
  readonly lent: (worker: SandboxWorker) => void;
  readonly refused: (cause: unknown) => void;
}

/** Workers, lent one operation at a time. */
export class WorkerPool {
  readonly #most: number;
  readonly #start: () => SandboxWorker;
  readonly #idle: SandboxWorker[] = [];
  readonly #waiting: Waiting[] = [];
  #lent = 0;
  /** Sandboxes, and who keeps it warm. */
  #users = 0;
  #keepers = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  /** `most`: how many workers there may be. What `start` throws is told to who would have had the worker. */
  constructor(most: number, start: () => SandboxWorker) {
    this.#most = most;
    this.#start = start;
  }

  /** There is one sandbox more. */
  enter(): void {
    this.#users += 1;
  }

  /** Has a worker ready, until what it returns is called. */
  keepWarm(): () => Promise<void> {
    this.#users += 1;
    this.#keepers += 1;
    this.#warm();
    return async () => {
      this.#keepers -= 1;
      await this.leave();
    };
  }

  /** There is one less, and it has no operation under way. Settles when the workers that nobody needs have ended. */
  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.#end(this.#idle.splice(0));
  }

  /**
   * Runs `work` with a worker of its own. Rejects with `sandbox.busy` when too many wait, and with the signal's reason when that
   * fires before there is a worker.
   */
  async use<R>(
    sandbox: number,
    work: (worker: SandboxWorker) => Promise<R>,
    signal?: AbortSignal,
  ): Promise<R> {
    const worker = await this.#borrow(sandbox, signal);
    try {
      return await work(worker);
    } finally {
      this.#giveBack(worker);
    }
  }

  #borrow(sandbox: number, signal: AbortSignal | undefined): SandboxWorker | Promise<SandboxWorker> {
    signal?.throwIfAborted();
    const known = this.#idle.findIndex((worker) => worker.held?.sandbox === sandbox);
    const [idle] = this.#idle.splice(known === -1 ? 0 : known, 1);
    // Its process ended while nobody looked.
    if (idle?.lost === true) return this.#borrow(sandbox, signal);
    if (idle !== undefined || this.#lent < this.#most) {
      const worker = idle ?? this.#start();
      this.#lent += 1;
      return worker;
    }
    if (this.#waiting.length >= limits.sandboxQueue)
      return Promise.reject(sandboxErrors.busy(limits.sandboxQueue));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        sandbox,
        lent: (worker) => {
          signal?.removeEventListener("abort", givenUp);
          resolve(worker);
        },
        refused: (cause) => {
          signal?.removeEventListener("abort", givenUp);
          reject(cause);
        },
      };
      const givenUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", givenUp, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #giveBack(used: SandboxWorker): void {
    if (used.spent) void used.end(sandboxErrors.closed());
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        next.lent(used.lost ? this.#start() : used);
        return;
      } catch (cause) {
        next.refused(cause);
      }
    }
    this.#lent -= 1;
    if (used.lost) return this.#warm();
    this.#idle.push(used);
    this.#idleTimer ??= setTimeout(
      () => void this.#end(this.#unneeded()),
      limits.sandboxWorkerIdleMs,
    ).unref();
    this.#idleTimer.refresh();
  }

  #warm(): void {
    if (this.#keepers === 0 || this.#lent + this.#idle.length > 0) return;
    try {
      this.#idle.push(this.#start());
    } catch {
      // Whoever needs one hears of it.
    }
  }

  /** The idle ones that nobody wants to be there. */
  #unneeded(): SandboxWorker[] {
    return this.#idle.splice(0, this.#idle.length - (this.#keepers > 0 ? 1 : 0));
  }

  async #end(workers: readonly SandboxWorker[]): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    await Promise.all(workers.map((worker) => worker.end(sandboxErrors.closed())));
  }
}
