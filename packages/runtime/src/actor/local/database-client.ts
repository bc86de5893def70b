/**
 * `c.db` of one activation.
 *
 * A transaction is a savepoint that lasts for one turn at most. Other chains of calls may go on in the same turn (a
 * promise of theirs settles): their statements wait until it ends, so that nothing of theirs is undone with it. Which
 * chain a statement belongs to is what the async context says.
 */
import type { AsyncVariable, Env } from "@troupe/base";
import type { BindParam, BindParams, ExecuteResult } from "@troupe/protocol";
import type { ActorSql, ActorStore, Savepoint } from "../../ports/storage.ts";
import { sqlErrors } from "../../sql/errors.ts";
import type { Database } from "../types/database.ts";
import { observed } from "./observed.ts";

/** What it needs of its activation. */
export interface DatabaseClientParts {
  readonly env: Pick<Env, "afterTurn">;
  readonly sql: ActorSql;
  /** Which transaction the running code is in. */
  readonly current: AsyncVariable<Transaction>;
  /** Throws when the activation has ended. */
  readonly checkLive: () => void;
}

/** A transaction, or one inside another. */
export interface Transaction {
  readonly outer: Transaction | undefined;
  over: boolean;
}

/** True for code inside a transaction of `client`. No member of `c.db`: it is the runtime's question. */
export let inTransaction: (client: DatabaseClient) => boolean;

/** `c.db`. */
export class DatabaseClient implements Database {
  readonly #parts: DatabaseClientParts;
  /** The transaction that is open, the outermost, and its end. */
  #open: { readonly root: Transaction; readonly ended: Promise<void> } | undefined;

  static {
    inTransaction = (client) => client.#inside;
  }

  constructor(parts: DatabaseClientParts) {
    this.#parts = parts;
  }

  get #inside(): boolean {
    return this.#open !== undefined && rootOf(this.#parts.current.get()) === this.#open.root;
  }

  execute<Row extends object = Record<string, never>>(
    sql: string,
    ...params: readonly BindParam[] | readonly [named: Readonly<Record<string, BindParam>>]
  ): Promise<Row[]> {
    return observed(this.#execute<Row>(sql, params));
  }

  transaction<R>(callback: (tx: Database) => R | Promise<R>): Promise<R> {
    return observed(this.#transaction(callback));
  }

  async #execute<Row>(sql: string, params: readonly unknown[]): Promise<Row[]> {
    if (this.#open !== undefined) await this.#turn();
    this.#checkChain();
    const result = await this.#parts.sql.execute(sql, bindParams(params));
    return asRows<Row>(result);
  }

  async #transaction<R>(callback: (tx: Database) => R | Promise<R>): Promise<R> {
    if (this.#open !== undefined) await this.#turn();
    this.#checkChain();
    const outer = this.#parts.current.get();
    const transaction: Transaction = { outer, over: false };
    const savepoint = this.#parts.sql.savepoint();
    if (outer !== undefined) return await this.#run(transaction, savepoint, callback);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#open = { root: transaction, ended };
    try {
      return await this.#run(transaction, savepoint, callback);
    } finally {
      this.#open = undefined;
      end();
    }
  }

  async #run<R>(
    transaction: Transaction,
    savepoint: Savepoint,
    callback: (tx: Database) => R | Promise<R>,
  ): Promise<R> {
    const turnOver = Promise.withResolvers<never>();
    turnOver.promise.catch(() => {});
    try {
      const running = this.#parts.current.run(transaction, () => callback(this));
      if (running instanceof Promise) this.#parts.env.afterTurn(() => turnOver.reject(sqlErrors.leftTurn()));
      const result = await Promise.race([running, turnOver.promise]);
      savepoint.release();
      return result;
    } catch (error) {
      savepoint.rollback();
      throw error;
    } finally {
      transaction.over = true;
    }
  }

  /** Waits until no other chain is in a transaction. */
  async #turn(): Promise<void> {
    while (this.#open !== undefined && !this.#inside) await this.#open.ended;
  }

  #checkChain(): void {
    this.#parts.checkLive();
    // Its transaction was undone, or has ended: what it writes would be outside of it.
    if (this.#parts.current.get()?.over === true) throw sqlErrors.leftTurn();
  }
}

function rootOf(transaction: Transaction | undefined): Transaction | undefined {
  return transaction?.outer === undefined ? transaction : rootOf(transaction.outer);
}

function bindParams(params: readonly unknown[]): BindParams {
  const [first] = params;
  const named = params.length === 1 && typeof first === "object" && first !== null && !isBytes(first);
  // What isn't a parameter is found when it is bound.
  return (named ? first : params) as BindParams;
}

function isBytes(value: object): boolean {
  return value instanceof Uint8Array;
}

/** The row type is the caller's word: SQL says nothing of types before it runs. */
function asRows<Row>({ columns, rows }: ExecuteResult): Row[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])) as Row);
}

/** What an activation brings to its database. */
export interface DatabaseOwner {
  readonly env: DatabaseClientParts["env"];
  readonly record: { readonly name: string };
  readonly behaviour: { readonly database: object | undefined };
  readonly store: Pick<ActorStore, "sql">;
  wrote(): void;
}

/** The client of an activation. Throws `sql.no_database`, `sql.unavailable`. */
export function openDatabase(
  owner: DatabaseOwner,
  parts: Pick<DatabaseClientParts, "current" | "checkLive">,
): DatabaseClient {
  if (owner.behaviour.database === undefined) throw sqlErrors.noDatabase(owner.record.name);
  const sql = owner.store.sql?.(() => owner.wrote());
  if (sql === undefined) throw sqlErrors.unavailable();
  return new DatabaseClient({ env: owner.env, sql, ...parts });
}
