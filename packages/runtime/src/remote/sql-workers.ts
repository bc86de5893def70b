/**
 * SqlWorkers: how many statements of one host's actors run at once, and whose turn it is.
 *
 * A host sends the statements of all its actors over one link, and one that sends thousands must not keep the others
 * waiting. A statement has a worker until it has ended, and the engine's turn with it; so have those that came together (no
 * more than `limits.sqlBatchStatements`), one for all. What finds none waits. Actors that wait take turns, one statement each,
 * and none has more than its share of the workers, so that one is always left for others. What one actor has waiting is
 * bounded (`sqlite.busy`), and is refused when it stops (`sqlite.stopping`). Statements of one actor begin in their order.
 *
 *   run ──a worker is free, nobody of the actor waits──▶ running ──settled, turn over──▶ done
 *    └── else ──▶ waiting ──its turn──▶ running
 *                    └── the actor stops ──▶ refused
 */
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { MaybePromise } from "../ports/storage.ts";
import { remoteSqlErrors } from "../sql/remote-errors.ts";

/** The workers of one host's session. */
export class SqlWorkers {
  readonly #env: Pick<Env, "afterTurn" | "timers">;
  /** Actors that wait for a worker, in the order of their turns. */
  readonly #line = new Set<SqlShare>();
  #free: number = limits.sqlWorkers;

  constructor(env: Pick<Env, "afterTurn" | "timers">) {
    this.#env = env;
  }

  /** One activation's share. */
  share(): SqlShare {
    return new SqlShare(this.#env, this);
  }

  /** A worker for `share`; false when none is free. */
  take(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }

  waits(share: SqlShare): void {
    this.#line.add(share);
  }

  /** A worker is free again: whoever waits longest for a turn has it, and goes to the end of the line. */
  give(): void {
    this.#free += 1;
    for (const share of this.#line) {
      this.#line.delete(share);
      if (!share.next()) continue;
      return;
    }
  }
}

/** What one activation has of the workers. */
export class SqlShare {
  readonly #env: Pick<Env, "afterTurn" | "timers">;
  readonly #workers: SqlWorkers;
  readonly #waiting: {
    readonly count: number;
    readonly begin: () => void;
    readonly stopped: () => void;
  }[] = [];
  /** Their statements. */
  #statements = 0;
  #running = 0;
  #stopped = false;
  #idle: PromiseWithResolvers<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(env: Pick<Env, "afterTurn" | "timers">, workers: SqlWorkers) {
    this.#env = env;
    this.#workers = workers;
  }

  /** Runs a statement, or `count` of them, when there is a worker for it. Rejects with `sqlite.busy`, `sqlite.stopping`. */
  run<T>(statement: () => MaybePromise<T>, count = 1): MaybePromise<T> {
    if (this.#stopped) throw remoteSqlErrors.stopping();
    if (this.#waiting.length === 0 && this.#running < limits.sqlWorkersOfActor && this.#workers.take())
      return this.#run(statement);
    // A batch that is more than there is room for waits alone.
    if (this.#statements > 0 && this.#statements + count > limits.sqlWaiting)
      throw remoteSqlErrors.busy(limits.sqlWaiting);
    return this.#wait(statement, "may be refused", count);
  }

  /** Runs the end of a transaction behind what waits. */
  end<T>(statement: () => MaybePromise<T>): MaybePromise<T> {
    return this.#waiting.length === 0 ? statement() : this.#wait(statement, "always runs", 0);
  }

  /** Begins what waits, with a worker that is free. False when nothing waits, or it has its share. */
  next(): boolean {
    if (this.#running >= limits.sqlWorkersOfActor || this.#waiting.length === 0 || !this.#workers.take())
      return false;
    const first = this.#waiting.shift();
    this.#statements -= first?.count ?? 0;
    first?.begin();
    if (this.#waiting.length > 0) this.#workers.waits(this);
    return true;
  }

  /** What waits is refused. Settles when what runs has ended, at the latest after `sqlDrainMs`. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#statements = 0;
    for (const { stopped } of this.#waiting.splice(0)) stopped();
    // All who wait share one wait.
    this.#stopping ??= this.#drained();
    await this.#stopping;
  }

  async #drained(): Promise<void> {
    // Armed before the counter is read: what ends between is not missed.
    this.#idle = Promise.withResolvers<void>();
    if (this.#running === 0) return;
    const late = this.#env.timers.set(this.#idle.resolve, limits.sqlDrainMs, { background: true });
    await this.#idle.promise;
    this.#env.timers.clear(late);
  }

  #wait<T>(
    statement: () => MaybePromise<T>,
    fate: "may be refused" | "always runs",
    count: number,
  ): Promise<T> {
    this.#statements += count;
    return new Promise<T>((resolve, reject) => {
      const begin = (run: () => MaybePromise<T>): void => {
        try {
          resolve(run());
        } catch (cause) {
          reject(cause);
        }
      };
      this.#waiting.push({
        count,
        begin: () => begin(() => this.#run(statement)),
        stopped: () => (fate === "always runs" ? begin(statement) : reject(remoteSqlErrors.stopping())),
      });
      if (this.#running < limits.sqlWorkersOfActor) this.#workers.waits(this);
    });
  }

  #run<T>(statement: () => MaybePromise<T>): MaybePromise<T> {
    this.#running += 1;
    let result: MaybePromise<T>;
    try {
      result = statement();
    } catch (cause) {
      this.#endWithTurn();
      throw cause;
    }
    if (!(result instanceof Promise)) {
      this.#endWithTurn();
      return result;
    }
    return result.finally(() => this.#end());
  }

  /** What ran at once keeps its worker until the turn ends: so a flood of them lets others in between. */
  #endWithTurn(): void {
    this.#env.afterTurn(() => this.#end());
  }

  #end(): void {
    this.#running -= 1;
    if (this.#waiting.length > 0) this.#workers.waits(this);
    this.#workers.give();
    if (this.#running === 0) this.#idle?.resolve();
  }
}
