export {
  alias,
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  SQLiteTable,
  sqliteTable,
  sqliteTableCreator,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
export type { DrizzleKitConfig } from "./define-config.ts";
export { defineConfig } from "./define-config.ts";
export type { DrizzleDatabase, DrizzleOptions, DrizzleSchema } from "./drizzle.ts";
export { db } from "./drizzle.ts";
export type { DrizzleMigrations } from "./drizzle-migrations.ts";
