/**
 * `c.db` of one activation, and `tx` of a transaction.
 *
 * Which chain of calls a statement belongs to is what the async context says: `c.db` inside of a transaction joins it. Where
 * there is no async context (an isolate, workerd) it isn't known behind the first await: there `tx` alone is inside.
 */
import type { AsyncVariable, Env } from "@troupe/base";
import { type BindParam, type BindParams, type ExecuteResult, limits } from "@troupe/protocol";
import type { ActorStore } from "../../ports/storage.ts";
import { sqlErrors } from "../../sql/errors.ts";
import { type Transaction, WriteSlot } from "../../sql/write-slot.ts";
import type { Database, TransactionOptions } from "../types/database.ts";
import { observed } from "./observed.ts";

/** Which transaction the running code is in. */
export type CurrentTransaction = AsyncVariable<Transaction | undefined>;

/** What it is made of. */
export interface DatabaseClientParts {
  readonly slot: WriteSlot;
  readonly current: CurrentTransaction;
}

/** True for code that is known to be inside a transaction of `client`. As the next, no member of `c.db`: it is the runtime's question. */
export let inTransaction: (client: DatabaseClient) => boolean;
/** The activation ends, and what is open is undone. */
export let abandonTransaction: (client: DatabaseClient) => void;
/** Runs a statement for people, outside of any transaction; its result with its columns. */
export let executeByHand: (client: DatabaseClient, sql: string, params: BindParams) => Promise<ExecuteResult>;

/** `c.db`, or with `bound` the `tx` of a transaction. */
export class DatabaseClient implements Database {
  readonly #parts: DatabaseClientParts;
  readonly #bound: Transaction | undefined;

  static {
    inTransaction = (client) => client.#inside;
    abandonTransaction = (client) => client.#parts.slot.abandon(sqlErrors.transactionEnded());
    executeByHand = async (client, sql, params) => await client.#parts.slot.execute(undefined, sql, params);
  }

  constructor(parts: DatabaseClientParts, bound?: Transaction) {
    this.#parts = parts;
    this.#bound = bound;
  }

  get #inside(): boolean {
    const within = this.#within();
    return within !== undefined && within.over === undefined;
  }

  execute<Row extends object = Record<string, never>>(
    sql: string,
    ...params: readonly BindParam[] | readonly [named: Readonly<Record<string, BindParam>>]
  ): Promise<Row[]> {
    return observed(this.#execute<Row>(sql, params));
  }

  transaction<R>(callback: (tx: Database) => R | Promise<R>, options: TransactionOptions = {}): Promise<R> {
    return observed(this.#transaction(callback, options));
  }

  async #execute<Row>(sql: string, params: readonly unknown[]): Promise<Row[]> {
    return asRows<Row>(await this.#parts.slot.execute(this.#within(), sql, bindParams(params)));
  }

  async #transaction<R>(
    callback: (tx: Database) => R | Promise<R>,
    { timeout = limits.sqlTransactionMs }: TransactionOptions,
  ): Promise<R> {
    const { slot, current } = this.#parts;
    const transaction = await slot.begin(this.#within(), checkTimeout(timeout));
    try {
      const tx = new DatabaseClient(this.#parts, transaction);
      const running = current.run(transaction, () => callback(tx));
      const result = await Promise.race([running, transaction.failed]);
      await slot.release(transaction);
      return result;
    } catch (error) {
      await slot.undo(transaction);
      throw error;
    }
  }

  /** The innermost transaction that the running code is in. */
  #within(): Transaction | undefined {
    const current = this.#parts.current.get();
    // Another actor's: the context follows whoever calls.
    if (current === undefined || current.slot !== this.#parts.slot) return this.#bound;
    if (this.#bound === undefined) return current;
    return current.over === undefined && current.isWithin(this.#bound) ? current : this.#bound;
  }
}

function checkTimeout(timeout: unknown): number {
  const longest = limits.sqlTransactionLongestMs;
  if (typeof timeout === "number" && timeout > 0 && timeout <= longest) return timeout;
  throw sqlErrors.invalidTimeout(longest);
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
  readonly env: Pick<Env, "afterTurn" | "timers">;
  readonly record: { readonly name: string };
  readonly behaviour: { readonly database: object | undefined };
  readonly store: Pick<ActorStore, "sql">;
  wrote(): void;
}

/** The client of an activation. Throws `sql.no_database`, `sql.unavailable`. */
export function openDatabase(
  owner: DatabaseOwner,
  parts: { readonly current: CurrentTransaction; readonly checkLive: () => void },
): DatabaseClient {
  const { env } = owner;
  if (owner.behaviour.database === undefined) throw sqlErrors.noDatabase(owner.record.name);
  const sql = owner.store.sql?.(() => owner.wrote());
  if (sql === undefined) throw sqlErrors.unavailable();
  const slot = new WriteSlot({ env, sql, checkLive: parts.checkLive });
  return new DatabaseClient({ slot, current: parts.current });
}
