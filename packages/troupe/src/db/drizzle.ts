export type {
  DrizzleDatabase,
  DrizzleKitConfig,
  DrizzleMigrations,
  DrizzleOptions,
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
  sqliteTable,
  sqliteTableCreator,
  text,
  unique,
  uniqueIndex,
} from "@troupe/runtime/drizzle";
