/**
 * `db({ … })`: gives an actor a database.
 */
import { configErrors } from "../errors.ts";
import type { Database } from "./types/database.ts";

const KIND = "troupe database";

/** What `db()` takes. */
export interface DatabaseOptions {
  /**
   * Makes and changes the tables. First on every start, before everything else, within `options.onMigrateTimeout`: all
   * that it does is stored, or with an error nothing, and the actor doesn't start. `PRAGMA user_version` is yours.
   */
  readonly onMigrate?: (db: Database) => void | Promise<void>;
  /** No effect: `BEGIN` and its like are refused, `db.transaction` is what to use. Known for RivetKit's sake. */
  readonly warnOnManualTransactions?: boolean;
}

/** A database, for `actor({ db })`. */
export interface DatabaseDeclaration {
  readonly kind: typeof KIND;
  readonly onMigrate: ((db: Database) => void | Promise<void>) | undefined;
}

/**
 * Gives an actor a database of its own, `c.db`: SQLite, in a file of the actor's.
 *
 * ```ts
 * const notes = actor({
 *   db: db({ onMigrate: (db) => db.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)").then(() => {}) }),
 *   actions: { add: (c, text: string) => c.db.execute("INSERT INTO notes VALUES (?)", text) },
 * });
 * ```
 *
 * Throws `config.invalid_option`.
 */
export function db(options: DatabaseOptions = {}): DatabaseDeclaration {
  const { onMigrate } = options;
  if (onMigrate !== undefined && typeof onMigrate !== "function") {
    throw configErrors.invalidOption("onMigrate", "a function");
  }
  return Object.freeze({ kind: KIND, onMigrate });
}

/** True for what `db()` returns. */
export function isDatabase(value: unknown): value is DatabaseDeclaration {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === KIND;
}
