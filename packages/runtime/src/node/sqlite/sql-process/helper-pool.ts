/**
 * HelperPool: the helper processes of one data directory.
 *
 * A helper serves one file. An actor has one while its database has something to do, and keeps it for a while, for opening
 * a file costs a few milliseconds; when others wait, the one that has rested longest gives its own back. So a statement
 * that is killed takes nothing of anybody else's with it.
 *
 *   free ──borrow──▶ lent ──rest──▶ resting ──giveUp──▶ free ──nobody wants it──▶ ended
 *
 * There are none before the first is needed. One that has ended makes room for a new one.
 */
import type { TimerHandle } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { storageErrors } from "../../../errors.ts";
import { sqlErrors } from "../../../sql/errors.ts";
import { type HelperEnv, HelperProcess, type StartHelper } from "./helper-process.ts";

/** What a pool is made of. */
export interface HelperPoolParts {
  readonly env: HelperEnv;
  readonly start: StartHelper;
  /** How many there are at the most. Default: `limits.sqlHelpers`. */
  readonly most?: number | undefined;
}

/** Who has a helper. */
export interface HelperUser {
  /** Gives it back as soon as nothing is lost by it. */
  giveUp(): void;
}

interface Waiting {
  readonly resolve: (helper: HelperProcess) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: TimerHandle;
}

/** Lends processes, and bounds their number. */
export class HelperPool {
  readonly #env: HelperEnv;
  readonly #startOne: StartHelper;
  readonly #most: number;
  readonly #all = new Set<HelperProcess>();
  readonly #free: HelperProcess[] = [];
  /** The one that has rested longest first. */
  readonly #resting = new Set<HelperUser>();
  readonly #waiting: Waiting[] = [];
  #timer: TimerHandle | undefined;
  #closed = false;

  constructor({ env, start, most = limits.sqlHelpers }: HelperPoolParts) {
    this.#env = env;
    this.#startOne = start;
    this.#most = most;
  }

  /** Somebody waits for a helper. */
  get wanted(): boolean {
    return this.#waiting.length > 0;
  }

  /** A helper without a file. Rejects with `sql.helpers_busy`, `storage.closed`. */
  borrow(): Promise<HelperProcess> {
    if (this.#closed) return Promise.reject(storageErrors.closed());
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop())
      if (!free.ended) return Promise.resolve(free);
    if (this.#all.size < this.#most) return Promise.resolve(this.#start());
    return this.#wait();
  }

  /** It has no file any more. */
  giveBack(helper: HelperProcess): void {
    if (helper.ended) return;
    const next = this.#next();
    if (next !== undefined) return next.resolve(helper);
    this.#free.push(helper);
    this.#timer ??= this.#env.timers.set(() => this.#endFree(), limits.sqlHelperIdleMs, { background: true });
  }

  /** Nothing is lost when `user` is asked for its helper. */
  rest(user: HelperUser): void {
    this.#resting.add(user);
    if (this.wanted) this.#askOne();
  }

  /** It has something to do again, or no helper any more. */
  wake(user: HelperUser): void {
    this.#resting.delete(user);
  }

  /** Ends them all, whatever they do. Settles when they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
    for (let next = this.#next(); next !== undefined; next = this.#next())
      next.reject(storageErrors.closed());
    const all = [...this.#all];
    for (const helper of all) helper.kill();
    await Promise.all(all.map(({ exited }) => exited));
  }

  #start(): HelperProcess {
    const helper = new HelperProcess(this.#env, this.#startOne);
    this.#all.add(helper);
    void helper.exited.then(() => this.#exited(helper));
    return helper;
  }

  #exited(helper: HelperProcess): void {
    this.#all.delete(helper);
    const next = this.#next();
    if (next !== undefined) next.resolve(this.#start());
  }

  #wait(): Promise<HelperProcess> {
    return new Promise((resolve, reject) => {
      const tooLong = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(sqlErrors.helpersBusy(this.#most));
      };
      const waiting: Waiting = {
        resolve,
        reject,
        timer: this.#env.timers.set(tooLong, limits.sqlHelperWaitMs),
      };
      this.#waiting.push(waiting);
      this.#askOne();
    });
  }

  #askOne(): void {
    const [longest] = this.#resting;
    if (longest === undefined) return;
    this.#resting.delete(longest);
    longest.giveUp();
  }

  /** Who has waited longest. */
  #next(): Waiting | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#env.timers.clear(next.timer);
    return next;
  }

  /** Those that nobody wanted for a while. */
  #endFree(): void {
    this.#timer = undefined;
    for (const helper of this.#free.splice(0)) helper.kill();
  }
}
