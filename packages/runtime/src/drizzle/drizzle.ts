/**
 * `db({ schema, migrations })` for Drizzle: `c.db` is a Drizzle database over the actor's own.
 *
 * Drizzle builds the SQL, and the actor's database runs it: the same slot, limits and rules. `transaction` is ours, for
 * Drizzle's own would know nothing of who else waits.
 */
import type { BindParam, ExecuteResult } from "@troupe/protocol";
import { drizzle, type SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import { type DatabaseDeclaration, type DatabaseOptions, declareDatabase } from "../actor/database.ts";
import type { Database, RawDatabase, TransactionOptions } from "../actor/types/database.ts";
import { type DrizzleMigrations, migrationsOf } from "./drizzle-migrations.ts";

/** Tables and relations by their names: what `import * as schema` gives. */
export type DrizzleSchema = Record<string, unknown>;

/** What is the actor's own at a Drizzle database. */
interface ActorAccess<S extends DrizzleSchema> extends Pick<Database, "execute"> {
  /** As `Database.transaction`, with a Drizzle database inside. */
  transaction<R>(
    callback: (tx: DrizzleDatabase<S>) => R | Promise<R>,
    options?: TransactionOptions,
  ): Promise<R>;
}

/** `c.db`: Drizzle's database, and `execute` and `transaction` of the actor's. */
export type DrizzleDatabase<S extends DrizzleSchema = Record<string, never>> = Omit<
  SqliteRemoteDatabase<S>,
  "transaction" | "execute"
> &
  ActorAccess<S>;

/** What Drizzle's `db()` takes. */
export interface DrizzleOptions<S extends DrizzleSchema>
  extends Omit<DatabaseOptions<DrizzleDatabase<S>>, "migrations"> {
  /** Tables and relations: types, and `c.db.query`. */
  readonly schema?: S;
  /** What drizzle-kit wrote: the default export of its `migrations.js`. */
  readonly migrations?: DrizzleMigrations;
}

/**
 * Gives an actor a database of its own, with Drizzle over it.
 *
 * ```ts
 * const users = sqliteTable("users", { id: integer("id").primaryKey(), name: text("name").notNull() });
 * const team = actor({
 *   db: db({ schema: { users }, migrations }),
 *   actions: { add: (c, name: string) => c.db.insert(users).values({ name }).returning() },
 * });
 * ```
 *
 * Throws `config.invalid_option`.
 */
export function db<S extends DrizzleSchema = Record<string, never>>(
  options: DrizzleOptions<S> = {},
): DatabaseDeclaration<DrizzleDatabase<S>> {
  const { schema, migrations, ...rest } = options;
  const prepared = migrations === undefined ? {} : { migrations: migrationsOf(migrations) };
  return declareDatabase<DrizzleDatabase<S>>({ ...rest, ...prepared }, (raw) => drizzleOver(raw, schema));
}

function drizzleOver<S extends DrizzleSchema>(raw: RawDatabase, schema: S | undefined): DrizzleDatabase<S> {
  const made = drizzle<S>(
    (sql, params, method) => run(raw, { sql, params, method }),
    async (batch) => {
      const statements = batch.map(({ sql, params }) => ({ sql, args: params as readonly BindParam[] }));
      const results = await raw.batch(statements);
      return results.map(({ rows }, index) => shaped(rows, batch[index]?.method ?? "run"));
    },
    schema === undefined ? {} : { schema },
  );
  const access: ActorAccess<S> = {
    execute: (sql, ...params) => raw.execute(sql, ...params),
    transaction: (callback, options) => raw.transaction((tx) => callback(drizzleOver(tx, schema)), options),
  };
  return Object.assign(made, access);
}

interface Query {
  readonly sql: string;
  readonly params: readonly unknown[];
  readonly method: "run" | "all" | "values" | "get";
}

async function run(raw: RawDatabase, { sql, params, method }: Query): Promise<{ rows: unknown[] }> {
  const { rows } = await raw.query(sql, params);
  return shaped(rows, method);
}

/** Rows as Drizzle wants them: values by place; of `get` the one row, or nothing. */
function shaped(rows: ExecuteResult["rows"], method: Query["method"]): { rows: unknown[] } {
  if (method === "run") return { rows: [] };
  if (method !== "get") return { rows: rows.map((row) => [...row]) };
  const [first] = rows;
  // Drizzle tells a missing row by the absence of `rows`, which its type doesn't say.
  return first === undefined ? Object.create(null) : { rows: [...first] };
}
