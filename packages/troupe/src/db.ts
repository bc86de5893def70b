export type {
  Database,
  DatabaseDeclaration,
  DatabaseOptions,
  Migration,
  SqlRow,
  TransactionOptions,
} from "@troupe/runtime";
export { db } from "@troupe/runtime";
