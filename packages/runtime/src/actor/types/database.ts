/**
 * `c.db`: an actor's SQL. The names and shapes are RivetKit's documented ones.
 */
import type { BindParam, BindParams, ColumnValue, ExecuteResult } from "@troupe/protocol";

/** A row by the names of its columns. */
export type SqlRow = Record<string, ColumnValue>;

/** A statement of a batch: its text, or with its parameters by place or by name. */
export type BatchStatement = string | { readonly sql: string; readonly args?: BindParams };

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
 * What any `c.db` has, also one that something else is made of (Drizzle). What a turn writes is stored together with its state and keys; what the actor says waits for it.
 * Errors are `sql.*`.
 */
export interface DatabaseAccess {
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
  /** As `Database.transaction`. */
  transaction<R>(callback: (tx: DatabaseAccess) => R | Promise<R>, options?: TransactionOptions): Promise<R>;
}

/** An actor's database. */
export interface Database extends DatabaseAccess {
  /**
   * Runs statements in their order, in one go: all of them happen, or with the error of the first that fails none. What each
   * gave, rows by place. On a remote host it is one way there and back. At most 4,096 statements and 4 MiB.
   *
   * ```ts
   * const [inserted] = await c.db.batch([{ sql: "INSERT INTO users (name) VALUES (?)", args: ["Ada"] }, "DELETE FROM waiting"]);
   * ```
   */
  batch(statements: readonly BatchStatement[]): Promise<ExecuteResult[]>;
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
export interface RawDatabase extends Pick<Database, "batch" | "execute"> {
  /** As `execute`. */
  query(sql: string, params: readonly unknown[]): Promise<ExecuteResult>;
  /** As `Database.transaction`. */
  transaction<R>(callback: (tx: RawDatabase) => R | Promise<R>, options?: TransactionOptions): Promise<R>;
}
