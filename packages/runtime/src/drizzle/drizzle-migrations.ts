/**
 * What drizzle-kit writes, as migrations of an actor's.
 */
import type { Migration } from "../actor/migrations.ts";
import { configErrors } from "../errors.ts";

/** The default export of the `migrations.js` that drizzle-kit writes. */
export interface DrizzleMigrations {
  /** `meta/_journal.json`: the order. */
  readonly journal: unknown;
  /** `m0000` and so on to their SQL. */
  readonly migrations: Readonly<Record<string, string>>;
}

/** In the journal's order, by their tags. Throws `config.invalid_option`. */
export function migrationsOf({ journal, migrations }: DrizzleMigrations): Migration[] {
  const refused = (): Error => configErrors.invalidOption("migrations", "what drizzle-kit wrote, whole");
  const { entries }: { entries?: unknown } = Object(journal);
  if (!Array.isArray(entries)) throw refused();
  return entries.map((entry: unknown): Migration => {
    const { idx, tag }: { idx?: unknown; tag?: unknown } = Object(entry);
    const sql = migrations[`m${String(idx).padStart(4, "0")}`];
    if (typeof tag !== "string" || sql === undefined) throw refused();
    return { name: tag, sql };
  });
}
