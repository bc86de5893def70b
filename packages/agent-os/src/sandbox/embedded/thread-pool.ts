/**
 * ThreadPool: the threads that a definition's embedded sandboxes share.
 *
 * A sandbox has no thread of its own: each operation borrows one, preferably the one that has its files. What finds all
 * threads at work waits its turn, in order and up to a limit. Threads are started when they are needed and end when they
 * were idle for a while, when what ran in them was demoted, or when nobody uses the pool any more: a registry that has stopped leaves none behind. While one runs
 * there is always a thread, since the first thing that a thread does, to load the shell, takes longer than all that follows.
 */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../../errors.ts";
import type { SandboxThread } from "./sandbox-thread.ts";

interface Waiting {
  readonly sandbox: number;
  readonly lent: (thread: SandboxThread) => void;
}

/** Threads, lent one operation at a time. */
export class ThreadPool {
  readonly #most: number;
  readonly #start: () => SandboxThread;
  readonly #idle: SandboxThread[] = [];
  readonly #waiting: Waiting[] = [];
  #lent = 0;
  /** Sandboxes, and who keeps it warm. */
  #users = 0;
  #keepers = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  /** `most`: how many threads there may be. */
  constructor(most: number, start: () => SandboxThread) {
    this.#most = most;
    this.#start = start;
  }

  /** There is one sandbox more. */
  enter(): void {
    this.#users += 1;
  }

  /** Has a thread ready, until what it returns is called. */
  keepWarm(): () => Promise<void> {
    this.#users += 1;
    this.#keepers += 1;
    this.#warm();
    return async () => {
      this.#keepers -= 1;
      await this.leave();
    };
  }

  /** There is one less, and it has no operation under way. Settles when the threads that nobody needs have ended. */
  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.#end(this.#idle.splice(0));
  }

  /**
   * Runs `work` with a thread of its own. Rejects with `sandbox.busy` when too many wait, and with the signal's reason when that
   * fires before there is a thread.
   */
  async use<R>(
    sandbox: number,
    work: (thread: SandboxThread) => Promise<R>,
    signal?: AbortSignal,
  ): Promise<R> {
    const thread = await this.#borrow(sandbox, signal);
    try {
      return await work(thread);
    } finally {
      this.#giveBack(thread);
    }
  }

  #borrow(sandbox: number, signal: AbortSignal | undefined): SandboxThread | Promise<SandboxThread> {
    signal?.throwIfAborted();
    const known = this.#idle.findIndex((thread) => thread.held?.sandbox === sandbox);
    const [idle] = this.#idle.splice(known === -1 ? 0 : known, 1);
    if (idle !== undefined || this.#lent < this.#most) {
      this.#lent += 1;
      return idle ?? this.#start();
    }
    if (this.#waiting.length >= limits.sandboxQueue)
      return Promise.reject(sandboxErrors.busy(limits.sandboxQueue));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        sandbox,
        lent: (thread) => {
          signal?.removeEventListener("abort", givenUp);
          resolve(thread);
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

  #giveBack(used: SandboxThread): void {
    if (used.isDemoted) void used.end(sandboxErrors.closed());
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.lent(used.lost ? this.#start() : used);
      return;
    }
    this.#lent -= 1;
    if (used.lost) return this.#warm();
    this.#idle.push(used);
    this.#idleTimer ??= setTimeout(
      () => void this.#end(this.#unneeded()),
      limits.sandboxThreadIdleMs,
    ).unref();
    this.#idleTimer.refresh();
  }

  #warm(): void {
    if (this.#keepers > 0 && this.#lent + this.#idle.length === 0) this.#idle.push(this.#start());
  }

  /** The idle ones that nobody wants to be there. */
  #unneeded(): SandboxThread[] {
    return this.#idle.splice(0, this.#idle.length - (this.#keepers > 0 ? 1 : 0));
  }

  async #end(threads: readonly SandboxThread[]): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    await Promise.all(threads.map((thread) => thread.end(sandboxErrors.closed())));
  }
}
