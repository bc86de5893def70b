/**
 * `c.db` of one activation, and `tx` of a transaction.
 *
 * Which chain of calls a statement belongs to is what the async context says: `c.db` inside of a transaction joins it. Where
 * there is no async context (an isolate, workerd) it isn't known behind the first await: there `tx` alone is inside.
 */
import type { AsyncVariable, Env } from "@troupe/base";
import {
  type BindParam,
  type BindParams,
  type ColumnValue,
  type ExecuteResult,
  limits,
} from "@troupe/protocol";
import { type Observer, observed } from "../../ports/observed.ts";
import type { ActorStore, MaybePromise } from "../../ports/storage.ts";
import { checkBatch, statementsOf } from "../../sql/batch.ts";
import { SqlChain } from "../../sql/chain.ts";
import { sqlErrors } from "../../sql/errors.ts";
import { KnownTexts, splitStatements } from "../../sql/statements.ts";
import { controlOf } from "../../sql/transaction-control.ts";
import { WriteSlot } from "../../sql/write-slot.ts";
import type { LocalBehaviour } from "../behaviour.ts";
import type {
  BatchStatement,
  Database,
  DatabaseAccess,
  RawDatabase,
  TransactionOptions,
} from "../types/database.ts";

/** Which chain of calls the running code is: it knows its transactions. */
export type CurrentChain = AsyncVariable<SqlChain>;

const EMPTY: ExecuteResult = { columns: [], rows: [], changes: 0, lastInsertRowId: null };

/** What it is made of. */
export interface DatabaseClientParts {
  readonly slot: WriteSlot;
  readonly current: CurrentChain;
  /** All chains of calls that aren't told apart. Its owner is the activation. */
  readonly shared: SqlChain;
  readonly texts: KnownTexts;
  /** Whose code may forget a promise. */
  readonly whose: Observer;
}

/** True for code that is known to be inside a transaction of `client`. As the next, no member of `c.db`: it is the runtime's question. */
export let inTransaction: (client: DatabaseClient) => boolean;
/** What `make` makes of the database, once. */
let faceOf: (client: DatabaseClient, make: (db: RawDatabase) => DatabaseAccess) => DatabaseAccess;
/** The activation ends, and what is open is undone. */
export let abandonTransaction: (client: DatabaseClient) => void;
/** The database without what its definition makes of it: results with their columns. */
export let rawOf: (client: DatabaseClient) => RawDatabase;
/** Runs a statement for people, outside of any transaction; its result with its columns. */
export let executeByHand: (client: DatabaseClient, sql: string, params: BindParams) => Promise<ExecuteResult>;

/** `c.db`, or with `bound` the `tx` of a transaction. */
export class DatabaseClient implements Database {
  readonly #parts: DatabaseClientParts;
  readonly #bound: SqlChain | undefined;
  #face: DatabaseAccess | undefined;

  static {
    faceOf = (client, make) => client.#faceBy(make);
    inTransaction = (client) => client.#inside;
    abandonTransaction = (client) => client.#parts.slot.abandon(sqlErrors.transactionEnded());
    rawOf = (client) => client.#raw;
    executeByHand = async (client, sql, params) => await client.#parts.slot.execute(undefined, sql, params);
  }

  constructor(parts: DatabaseClientParts, bound?: SqlChain) {
    this.#parts = parts;
    this.#bound = bound;
  }

  #faceBy(make: (db: RawDatabase) => DatabaseAccess): DatabaseAccess {
    this.#face ??= make(this.#raw);
    return this.#face;
  }

  get #raw(): RawDatabase {
    return {
      execute: (sql, ...params) => this.execute(sql, ...params),
      batch: (statements) => this.batch(statements),
      query: (sql, params) => this.#observed(this.#query(sql, params)),
      transaction: (callback, options = {}) =>
        this.#observed(this.#transaction((tx) => callback(tx.#raw), options)),
    };
  }

  get #inside(): boolean {
    const within = this.#chain().innermost;
    return within !== undefined && within.over === undefined;
  }

  execute<Row extends object = Record<string, never>>(
    sql: string,
    ...params: readonly BindParam[] | readonly [named: Readonly<Record<string, BindParam>>]
  ): Promise<Row[]> {
    try {
      const result = this.#run(sql, params);
      // Where the database is at hand nothing but this promise is made for a statement.
      if (!(result instanceof Promise)) return Promise.resolve(asRows<Row>(result));
      return this.#observed(result.then((found) => asRows<Row>(found)));
    } catch (error) {
      return this.#observed(Promise.reject(error));
    }
  }

  batch(statements: readonly BatchStatement[]): Promise<ExecuteResult[]> {
    return this.#observed(this.#batch(statements));
  }

  transaction<R>(callback: (tx: Database) => R | Promise<R>, options: TransactionOptions = {}): Promise<R> {
    return this.#observed(this.#transaction(callback, options));
  }

  #observed<R>(promise: Promise<R>): Promise<R> {
    return observed(promise, this.#parts.whose, "c.db");
  }

  #run(sql: string, params: readonly unknown[]): MaybePromise<ExecuteResult> {
    const { slot, texts } = this.#parts;
    const chain = this.#chain();
    if (chain.settled !== undefined || texts.mayControlTransactions(sql))
      return this.#runInTurn(chain, sql, params);
    return slot.execute(chain.innermost, sql, bindParams(params));
  }

  async #batch(given: readonly BatchStatement[]): Promise<ExecuteResult[]> {
    const statements = statementsOf(given);
    checkBatch(statements);
    if (statements.length === 0) return [];
    const chain = this.#chain();
    while (chain.settled !== undefined) await chain.settled;
    const { slot } = this.#parts;
    return [...(await slot.use(chain.innermost, (sql) => sql.batch(statements)))];
  }

  async #query(sql: string, params: readonly unknown[]): Promise<ExecuteResult> {
    return await this.#run(sql, params);
  }

  /** What may begin or end transactions, or comes while one is being begun or ended: one statement after the other. */
  async #runInTurn(chain: SqlChain, sql: string, params: readonly unknown[]): Promise<ExecuteResult> {
    const { slot } = this.#parts;
    while (chain.settled !== undefined) await chain.settled;
    const statements = splitStatements(sql).map((statement) => ({
      text: statement.text,
      control: controlOf(statement.words),
    }));
    if (statements.every(({ control }) => control === undefined))
      return await slot.execute(chain.innermost, sql, bindParams(params));
    if (params.length > 0) throw sqlErrors.oneStatement();
    let result = EMPTY;
    for (const { text, control } of statements) {
      if (control !== undefined) await chain.control(slot, control);
      result = control === undefined ? await slot.execute(chain.innermost, text, []) : EMPTY;
    }
    return result;
  }

  async #transaction<R>(
    callback: (tx: DatabaseClient) => R | Promise<R>,
    { timeout = limits.sqlTransactionMs }: TransactionOptions,
  ): Promise<R> {
    const { slot, current, shared } = this.#parts;
    const outer = this.#chain();
    while (outer.settled !== undefined) await outer.settled;
    const transaction = await slot.begin(outer.innermost, checkTimeout(timeout));
    const chain = new SqlChain(shared.owner, transaction);
    try {
      const tx = new DatabaseClient(this.#parts, chain);
      const running = current.run(chain, () => callback(tx));
      const result = await Promise.race([running, transaction.failed]);
      // What its statements left open, inside of it, is a mistake: it isn't kept.
      if (await chain.end()) throw sqlErrors.transactionUnfinished();
      await slot.release(transaction);
      return result;
    } catch (error) {
      await slot.undo(transaction);
      throw error;
    }
  }

  /** The innermost chain that the running code is in. */
  #chain(): SqlChain {
    const current = this.#parts.current.get();
    const bound = this.#bound;
    // Another actor's: the context follows whoever calls.
    if (current === undefined || current.owner !== this.#parts.shared.owner)
      return bound ?? this.#parts.shared;
    if (bound?.transaction === undefined) return current;
    const { transaction } = current;
    const isInside = transaction?.over === undefined && transaction?.isWithin(bound.transaction);
    return isInside === true ? current : bound;
  }
}

function checkTimeout(timeout: unknown): number {
  const longest = limits.sqlTransactionLongestMs;
  if (typeof timeout === "number" && timeout > 0 && timeout <= longest) return timeout;
  throw sqlErrors.invalidTimeout(longest);
}

function bindParams(params: readonly unknown[]): BindParams {
  const [first] = params;
  // What isn't a parameter is found when it is bound: a Date has no names, and must not pass for an object without any.
  return (params.length === 1 && isAll(first) ? first : params) as BindParams;
}

/** A list of all parameters, or an object of named ones. */
function isAll(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The row type is the caller's word: SQL says nothing of types before it runs. */
function asRows<Row>({ columns, rows }: ExecuteResult): Row[] {
  // The one name that an assignment would take for something else.
  if (columns.includes("__proto__"))
    return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])) as Row);
  const named: Row[] = [];
  for (let at = 0; at < rows.length; at += 1) named.push(rowOf(columns, rows[at] ?? []) as Row);
  return named;
}

function rowOf(columns: readonly string[], values: readonly ColumnValue[]): Record<string, ColumnValue> {
  const row: Record<string, ColumnValue> = {};
  for (let at = 0; at < columns.length; at += 1) row[columns[at] ?? ""] = values[at] ?? null;
  return row;
}

/** `c.db` of an activation: the database, or what its definition makes of it. */
export function databaseOf(activation: {
  readonly database: DatabaseClient;
  readonly behaviour: Pick<LocalBehaviour, "database">;
}): DatabaseAccess {
  const { database, behaviour } = activation;
  const clientOf = behaviour.database?.clientOf;
  return clientOf === undefined ? database : faceOf(database, clientOf);
}

/** What an activation brings to its database. */
export interface DatabaseOwner extends Observer {
  readonly env: Pick<Env, "afterTurn" | "timers">;
  readonly record: Observer["record"] & { readonly name: string };
  readonly behaviour: { readonly database: object | undefined };
  readonly store: Pick<ActorStore, "sql">;
  wrote(): void;
}

/** The client of an activation. Throws `sql.no_database`, `sql.unavailable`. */
export function openDatabase(
  owner: DatabaseOwner,
  parts: { readonly current: CurrentChain; readonly checkLive: () => void },
): DatabaseClient {
  const { env } = owner;
  if (owner.behaviour.database === undefined) throw sqlErrors.noDatabase(owner.record.name);
  const sql = owner.store.sql?.(() => owner.wrote());
  if (sql === undefined) throw sqlErrors.unavailable();
  const slot = new WriteSlot({ env, sql, checkLive: parts.checkLive });
  return new DatabaseClient({
    slot,
    current: parts.current,
    shared: new SqlChain(owner),
    texts: new KnownTexts(),
    whose: owner,
  });
}
