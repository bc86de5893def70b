export type {
  AnyDatabase as AnyDatabaseProvider,
  BatchStatement,
  Database,
  Database as RawAccess,
  DatabaseClientOf as InferDatabaseClient,
  DatabaseDeclaration,
  DatabaseDeclaration as DatabaseProvider,
  DatabaseOptions,
  Migration,
  SqlRow,
  TransactionOptions,
  TransactionOptions as SqliteTransactionOptions,
} from "@troupe/runtime";
export { db } from "@troupe/runtime";
