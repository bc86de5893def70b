export type {
  DrizzleDatabase,
  DrizzleKitConfig,
  DrizzleMigrations,
  DrizzleOptions,
  DrizzleOptions as DrizzleDatabaseFactoryConfig,
  DrizzleSchema,
} from "@troupe/runtime/drizzle";
export {
  alias,
  check,
  db,
  defineConfig,
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
} from "@troupe/runtime/drizzle";
