/**
 * What a process of an actor's machine may ask of it, by name. Each goes the way that the actor's own code would go, with its
 * checks, traps and errors.
 */
import { limits } from "@troupe/protocol";
import { runtimeSocketErrors } from "../../../runtime-socket/errors.ts";
import type { Fields } from "../../../runtime-socket/frames.ts";
import type { RawDatabase } from "../../types/database.ts";
import type { Activation } from "../activation.ts";
import { LocalContext } from "../context.ts";
import { rawOf } from "../database-client.ts";
import type { Leases } from "./leases.ts";

/** What an operation works on. */
export interface Workplace {
  readonly activation: Activation;
  readonly leases: Leases;
}

type Operation = (at: Workplace, given: Fields) => unknown;

const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["sql.query", query],
  ["sql.batch", batch],
  ["sql.begin", begin],
  ["sql.commit", ({ leases }, given) => leases.take(given["lease"]).commit()],
  ["sql.rollback", ({ leases }, given) => leases.take(given["lease"]).rollback()],
  ["kv.get", (at, given) => contextOf(at).kv.get(keyField(given, "key"), { type: "binary" })],
  ["kv.put", (at, given) => contextOf(at).kv.put(keyField(given, "key"), keyField(given, "value"))],
  ["kv.delete", (at, given) => contextOf(at).kv.delete(keyField(given, "key"))],
  ["kv.list", list],
  ["state.get", (at) => contextOf(at).snapshot()],
  ["state.set", setState],
  ["state.delete", deleteState],
  ["events.broadcast", broadcast],
]);

/** Runs one. Throws `runtime_socket.unknown_operation`, `runtime_socket.invalid_field`, and what the actor's own code would get. */
export async function operate(at: Workplace, given: Fields): Promise<unknown> {
  const name = textField(given, "do");
  const operation = operations.get(name);
  if (operation === undefined) throw runtimeSocketErrors.unknownOperation(name);
  return await at.activation.enter(() => operation(at, given));
}

function contextOf({ activation }: Workplace): LocalContext {
  return new LocalContext(activation);
}

function databaseOf({ activation }: Workplace): RawDatabase {
  return rawOf(activation.database);
}

function query(at: Workplace, given: Fields): Promise<unknown> {
  const sql = textField(given, "sql");
  const { params = [], lease } = given;
  if (typeof params !== "object" || params === null)
    throw runtimeSocketErrors.invalidField("params", "a list, or an object of named ones");
  const all = Array.isArray(params) ? params : [params];
  return lease === undefined || lease === null
    ? databaseOf(at).query(sql, all)
    : at.leases.get(lease).query(sql, all);
}

function batch(at: Workplace, given: Fields): Promise<unknown> {
  const statements = given["statements"];
  if (!Array.isArray(statements)) throw runtimeSocketErrors.invalidField("statements", "a list");
  const { lease } = given;
  return lease === undefined || lease === null
    ? databaseOf(at).batch(statements)
    : at.leases.get(lease).batch(statements);
}

function begin(at: Workplace, given: Fields): Promise<number> {
  const timeoutMs = given["timeoutMs"] ?? undefined;
  if (timeoutMs !== undefined && typeof timeoutMs !== "number")
    throw runtimeSocketErrors.invalidField("timeoutMs", "a number");
  return at.leases.begin(databaseOf(at), timeoutMs);
}

function list(at: Workplace, given: Fields): Promise<unknown> {
  const { limit = limits.kvBatchEntries, reverse = false } = given;
  if (typeof limit !== "number" || typeof reverse !== "boolean")
    throw runtimeSocketErrors.invalidField("limit", "a number, and reverse true or false");
  const most = Math.min(limit, limits.kvBatchEntries);
  const options = { type: "binary", keyType: "binary", limit: most, reverse } as const;
  return contextOf(at).kv.list(keyField(given, "prefix"), options);
}

function setState(at: Workplace, given: Fields): void {
  const property = textField(given, "property");
  Reflect.set(at.activation.state.proxy, property, given["value"]);
}

function deleteState(at: Workplace, given: Fields): boolean {
  const { proxy } = at.activation.state;
  const property = textField(given, "property");
  return Object.hasOwn(proxy, property) && Reflect.deleteProperty(proxy, property);
}

function broadcast(at: Workplace, given: Fields): void {
  const { args = [] } = given;
  if (!Array.isArray(args)) throw runtimeSocketErrors.invalidField("args", "a list");
  contextOf(at).broadcast(textField(given, "name"), ...args);
}

function textField(given: Fields, name: string): string {
  const value = given[name];
  if (typeof value !== "string") throw runtimeSocketErrors.invalidField(name, "a text");
  return value;
}

function keyField(given: Fields, name: string): string | Uint8Array {
  const value = given[name];
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  throw runtimeSocketErrors.invalidField(name, "a text or bytes");
}
