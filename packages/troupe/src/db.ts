export type {
  Database,
  DatabaseDeclaration,
  DatabaseOptions,
  SqlRow,
  TransactionOptions,
} from "@troupe/runtime";
export { db } from "@troupe/runtime";
