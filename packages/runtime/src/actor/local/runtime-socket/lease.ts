/**
 * Lease: a transaction that a process of the actor's machine has open, statement by statement.
 *
 * It is an ordinary transaction of the actor's database, whose callback waits for the process's word. Nobody else writes there
 * meanwhile, and its time is that of any transaction. Whoever ends without a word has rolled it back.
 */
import type { ExecuteResult } from "@troupe/protocol";
import type { BatchStatement, RawDatabase } from "../../types/database.ts";

/** Why the callback of one that is rolled back fails: nobody sees it. */
const ROLLED_BACK = new Error("rolled back");

/** One transaction, from the moment when it is asked for. */
export class Lease {
  readonly #opened = Promise.withResolvers<RawDatabase>();
  readonly #decision = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  constructor(database: RawDatabase, timeoutMs: number | undefined) {
    this.#decision.promise.catch(() => {});
    this.#opened.promise.catch(() => {});
    this.#done = database.transaction(
      (tx) => {
        this.#opened.resolve(tx);
        return this.#decision.promise;
      },
      timeoutMs === undefined ? {} : { timeout: timeoutMs },
    );
    this.#done.catch((cause: unknown) => this.#opened.reject(cause));
  }

  /** Settles when it is its turn. Rejects with `sql.*`. */
  async open(): Promise<void> {
    await this.#opened.promise;
  }

  async query(sql: string, params: readonly unknown[]): Promise<ExecuteResult> {
    const tx = await this.#opened.promise;
    return await tx.query(sql, params);
  }

  async batch(statements: readonly BatchStatement[]): Promise<readonly ExecuteResult[]> {
    const tx = await this.#opened.promise;
    return await tx.batch(statements);
  }

  /** Rejects with what kept it from being committed: `sql.transaction_timed_out` and others. */
  async commit(): Promise<void> {
    this.#decision.resolve();
    await this.#done;
  }

  async rollback(): Promise<void> {
    this.#decision.reject(ROLLED_BACK);
    await this.#done.catch(() => {});
  }
}
