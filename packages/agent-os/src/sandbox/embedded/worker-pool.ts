/**
 * WorkerPool: the workers that a definition's embedded sandboxes share.
 *
 * A sandbox has no worker of its own: each operation borrows one, preferably the one that has its files, when it has a place in its lane.
 * Workers are started when they are needed and end when they were idle for a while, when they are spent, or when nobody uses the pool
 * any more: a registry that has stopped leaves none behind. While one runs there is always a worker, since the first thing that a worker
 * does, to load the shell, takes longer than all that follows.
 */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../../errors.ts";
import type { LanePlace } from "./lane.ts";
import type { SandboxWorker } from "./sandbox-worker.ts";

/** Workers, lent one operation at a time. */
export class WorkerPool {
  readonly #start: () => SandboxWorker;
  readonly #idle: SandboxWorker[] = [];
  #lent = 0;
  /** Sandboxes, and who keeps it warm. */
  #users = 0;
  #keepers = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  /** What `start` throws is told to who would have had the worker. */
  constructor(start: () => SandboxWorker) {
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

  /** Runs `work` with a worker of its own when there is a place for it, and leaves that behind it. Rejects when there is none. */
  async use<R>(
    turn: Promise<LanePlace>,
    sandbox: number,
    work: (worker: SandboxWorker) => Promise<R>,
  ): Promise<R> {
    const place = await turn;
    try {
      const worker = this.#borrow(sandbox);
      try {
        return await work(worker);
      } finally {
        this.#giveBack(worker);
      }
    } finally {
      place.leave();
    }
  }

  #borrow(sandbox: number): SandboxWorker {
    const known = this.#idle.findIndex((worker) => worker.held?.sandbox === sandbox);
    const [idle] = this.#idle.splice(known === -1 ? 0 : known, 1);
    // Its process ended while nobody looked.
    if (idle?.lost === true) return this.#borrow(sandbox);
    const worker = idle ?? this.#start();
    this.#lent += 1;
    return worker;
  }

  #giveBack(used: SandboxWorker): void {
    this.#lent -= 1;
    if (used.spent) void used.end(sandboxErrors.closed());
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
