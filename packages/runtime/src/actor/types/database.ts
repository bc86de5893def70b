/**
 * `c.db`: an actor's SQL. The names and shapes are RivetKit's documented ones.
 */
import type { BindParam, ColumnValue, ExecuteResult } from "@troupe/protocol";

/** A row by the names of its columns. */
export type SqlRow = Record<string, ColumnValue>;

/** Options of a transaction. */
export interface TransactionOptions {
  /** No effect. Known for RivetKit's sake. */
  readonly name?: string;
  /**
   * Milliseconds that it may last beyond the turn that it began in; then it is undone, with `sql.transaction_timed_out`.
   * Inside another one the outer one's counts. Default 5,000, at most 60,000.
   */
  readonly timeout?: number;
}

/**
 * An actor's database. What a turn writes is stored together with its state and keys; what the actor says waits for it.
 * Errors are `sql.*`.
 */
export interface Database {
  /**
   * Runs one statement with parameters (by place, or one object by name), or any number without, and gives the last one's
   * rows. It is done when this returns; the promise is settled.
   *
   * ```ts
   * const [user] = await c.db.execute<{ name: string }>("SELECT name FROM users WHERE id = ?", id);
   * ```
   */
  execute<Row extends object = SqlRow>(
    sql: string,
    ...params: readonly BindParam[] | readonly [named: Readonly<Record<string, BindParam>>]
  ): Promise<Row[]>;
  /**
   * Runs `callback`; when it throws, what was written to the database since is undone (state and keys aren't). Inside
   * another one it is undone by itself.
   *
   * Until it ends, everybody else's statements wait, and so does whatever the actor says: what is written meanwhile, state
   * and keys too, is stored with it. What waits for something to be durable (a call to another actor, `fetch`,
   * `saveState({ immediate: true })`) would wait for itself, and throws `sql.output_in_transaction`.
   */
  transaction<R>(callback: (tx: Database) => R | Promise<R>, options?: TransactionOptions): Promise<R>;
}

/** A database as drivers see it: results come as they are, rows by place. */
export interface RawDatabase extends Pick<Database, "execute"> {
  /** As `execute`. */
  query(sql: string, params: readonly unknown[]): Promise<ExecuteResult>;
  /** As `Database.transaction`. */
  transaction<R>(callback: (tx: RawDatabase) => R | Promise<R>, options?: TransactionOptions): Promise<R>;
}
