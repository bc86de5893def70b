/**
 * `db({ … })`: gives an actor a database.
 */
import { configErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";
import { applyMigrations, type Migration, type PreparedMigration, prepareMigrations } from "./migrations.ts";
import type { Database, DatabaseAccess, RawDatabase } from "./types/database.ts";

const KIND = "troupe database";

/** What `db()` takes. `Client` is what `c.db` is. */
export interface DatabaseOptions<Client = Database> {
  /**
   * The versions of the tables, in order: SQL, or SQL with a name. Each is applied once, first on a start, before
   * `onMigrate` and with the same rules. One that was applied must not change any more (`sql.migration_changed`); a database
   * that has seen more than there are here is refused (`sql.database_newer`).
   */
  readonly migrations?: readonly Migration[];
  /**
   * Makes and changes the tables. First on every start, before everything else, within `options.onMigrateTimeout`: all
   * that it does is stored, or with an error nothing, and the actor doesn't start. `PRAGMA user_version` is yours.
   */
  readonly onMigrate?: (db: Client) => void | Promise<void>;
  /** No effect: `BEGIN … COMMIT` has the rules of `db.transaction`. Known for RivetKit's sake. */
  readonly warnOnManualTransactions?: boolean;
}

/** A database, for `actor({ db })`. `Client` is what `c.db` is. */
export interface DatabaseDeclaration<Client extends DatabaseAccess = Database> {
  readonly kind: typeof KIND;
  /** Makes `c.db`. Absent: it is the database itself. */
  readonly clientOf: ((db: RawDatabase) => Client) | undefined;
  /** Brings the tables to what the program needs, at each start. */
  readonly migrate: ((db: Database, client: DatabaseAccess) => Promise<void>) | undefined;
}

/** The `db` of any definition, or none. */
export type AnyDatabase = DatabaseDeclaration<DatabaseAccess> | undefined;

/** What `c.db` is, of an actor with this `db`. */
export type DatabaseClientOf<D extends AnyDatabase> =
  D extends DatabaseDeclaration<infer Client> ? Client : Database;

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
 * Throws `config.unknown_option`, `config.invalid_option`.
 */
export function db(options: DatabaseOptions = {}): DatabaseDeclaration {
  return declareDatabase(options, undefined);
}

/** A database whose `c.db` is made by `clientOf`. Throws `config.invalid_option`. */
export function declareDatabase<Client extends DatabaseAccess>(
  options: DatabaseOptions<Client>,
  clientOf: ((db: RawDatabase) => Client) | undefined,
): DatabaseDeclaration<Client> {
  checkKnownOptions("db", options, ["migrations", "onMigrate", "warnOnManualTransactions"]);
  const { onMigrate, migrations = [] } = options;
  if (onMigrate !== undefined && typeof onMigrate !== "function") {
    throw configErrors.invalidOption("onMigrate", "a function");
  }
  const prepared = prepareMigrations(migrations);
  const needed = onMigrate !== undefined || prepared.length > 0;
  return Object.freeze({
    kind: KIND,
    clientOf,
    // `client` is what `clientOf` made, or with none the database itself.
    migrate: needed
      ? migrator(prepared, onMigrate as ((db: DatabaseAccess) => void | Promise<void>) | undefined)
      : undefined,
  });
}

function migrator(
  migrations: readonly PreparedMigration[],
  onMigrate: ((client: DatabaseAccess) => void | Promise<void>) | undefined,
): (db: Database, client: DatabaseAccess) => Promise<void> {
  return async (db, client) => {
    if (migrations.length > 0) await applyMigrations(db, migrations);
    await onMigrate?.(client);
  };
}

/** True for what `db()` returns. */
export function isDatabase(value: unknown): value is DatabaseDeclaration<DatabaseAccess> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === KIND;
}
