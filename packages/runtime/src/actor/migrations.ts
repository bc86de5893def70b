/**
 * Migrations: the versions of an actor's tables, in order.
 *
 * What was applied stands in a table of the actor's database, `troupe_migrations`: the number, the name and a hash of each
 * text. They are applied when the actor starts, all that are new as one: with an error none of them is stored. A text that
 * was changed after it was applied somewhere, or a database that has seen more of them than the program has, is refused: the
 * actor doesn't start, and nothing of it is touched.
 */
import { TroupeError } from "@troupe/base";
import { configErrors } from "../errors.ts";
import { sqlErrors } from "../sql/errors.ts";
import type { Database } from "./types/database.ts";

/** One version's change: SQL, with a name or without. */
export type Migration = string | { readonly name: string; readonly sql: string };

/** A migration as it is applied. */
export interface PreparedMigration {
  readonly name: string;
  readonly sql: string;
  readonly hash: string;
}

const TABLE = "troupe_migrations";

/** Throws `config.invalid_option`. */
export function prepareMigrations(value: unknown): readonly PreparedMigration[] {
  const refused = (): Error => configErrors.invalidOption("migrations", "SQL, each with a name of its own");
  if (!Array.isArray(value)) throw refused();
  const prepared = value.map((migration: unknown, index): PreparedMigration => {
    const { name, sql } = partsOf(migration, index);
    if (typeof name !== "string" || typeof sql !== "string" || sql.trim() === "") throw refused();
    return Object.freeze({ name, sql, hash: hashOf(sql) });
  });
  if (new Set(prepared.map(({ name }) => name)).size < prepared.length) throw refused();
  return Object.freeze(prepared);
}

/** Applies what is new. Throws `sql.migration_changed`, `sql.database_newer`, `sql.migration_failed`. */
export async function applyMigrations(
  database: Database,
  migrations: readonly PreparedMigration[],
): Promise<void> {
  const applied = await appliedIn(database);
  if (applied.length > migrations.length) throw sqlErrors.databaseNewer(applied.length, migrations.length);
  for (const [index, { name, hash }] of applied.entries()) {
    const here = migrations[index];
    if (here?.name !== name || here.hash !== hash) throw sqlErrors.migrationChanged(index + 1, name);
  }
  if (applied.length === migrations.length) return;
  if (applied.length === 0)
    await database.execute(
      `CREATE TABLE IF NOT EXISTS ${TABLE} (number INTEGER PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL) STRICT`,
    );
  for (const [index, { name, sql, hash }] of migrations.entries()) {
    if (index < applied.length) continue;
    try {
      await database.execute(sql);
    } catch (cause) {
      // A full disk is nothing of the migration's.
      if (TroupeError.is(cause) && cause.public) throw cause;
      throw sqlErrors.migrationFailed(`${index + 1} of ${migrations.length}`, name, cause);
    }
    await database.execute(`INSERT INTO ${TABLE} VALUES (?, ?, ?)`, index + 1, name, hash);
  }
}

async function appliedIn(database: Database): Promise<{ readonly name: string; readonly hash: string }[]> {
  const [table] = await database.execute(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
    TABLE,
  );
  if (table === undefined) return [];
  return await database.execute(`SELECT name, hash FROM ${TABLE} ORDER BY number`);
}

function partsOf(migration: unknown, index: number): { readonly name: unknown; readonly sql: unknown } {
  if (typeof migration === "string") return { name: String(index + 1), sql: migration };
  const { name, sql }: { name?: unknown; sql?: unknown } = Object(migration);
  return { name, sql };
}

/** Finds changes made by mistake: two FNV-1a hashes over the characters, from different starts. */
function hashOf(text: string): string {
  let one = 0x811c9dc5;
  let two = 0x050c5d1f;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    one = Math.imul(one ^ unit, 0x01000193);
    two = Math.imul(two ^ unit ^ (one >>> 16), 0x01000193);
  }
  return [one, two].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
