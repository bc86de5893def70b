/**
 * Authorizer: what an actor's SQL may do.
 *
 * SQLite asks for each thing that a statement would do, when it is prepared and again when it has to be prepared anew.
 * What isn't on the list is refused, also what a later SQLite may bring. Names that begin with `_troupe_` are the
 * runtime's: nobody reads, changes or refers to them. VACUUM asks for nothing by itself, but attaches a file when it runs.
 */
import { sqlErrors } from "../../../sql/errors.ts";
import type { Database } from "../sqlite.ts";

const ALLOW = 0;
const DENY = 1;

/** SQLite's numbers, by what they stand for. */
const actions = {
  createIndex: 1,
  createTable: 2,
  createTrigger: 7,
  createView: 8,
  delete: 9,
  dropIndex: 10,
  dropTable: 11,
  dropTrigger: 16,
  dropView: 17,
  insert: 18,
  pragma: 19,
  read: 20,
  select: 21,
  transaction: 22,
  update: 23,
  alterTable: 26,
  reindex: 27,
  analyze: 28,
  createVirtualTable: 29,
  dropVirtualTable: 30,
  function: 31,
  savepoint: 32,
  recursive: 33,
} as const;

const readers: ReadonlySet<number> = new Set([
  actions.read,
  actions.select,
  actions.function,
  actions.recursive,
]);

const writers: ReadonlySet<number> = new Set([
  actions.createIndex,
  actions.createTable,
  actions.createTrigger,
  actions.createView,
  actions.delete,
  actions.dropIndex,
  actions.dropTable,
  actions.dropTrigger,
  actions.dropView,
  actions.insert,
  actions.update,
  actions.alterTable,
  actions.reindex,
  actions.analyze,
  actions.createVirtualTable,
  actions.dropVirtualTable,
]);

/** Those that change rows and no schema. */
const rows: ReadonlySet<number> = new Set([
  actions.delete,
  actions.insert,
  actions.update,
  actions.analyze,
  actions.reindex,
]);

/** Whether a pragma may be read, or set as well. Setting one is a write of the batch. */
const pragmas: ReadonlyMap<string, "read" | "set"> = new Map([
  ["application_id", "set"],
  ["user_version", "set"],
  ["collation_list", "read"],
  ["compile_options", "read"],
  ["data_version", "read"],
  ["encoding", "read"],
  ["foreign_key_check", "read"],
  ["foreign_key_list", "read"],
  ["foreign_keys", "read"],
  ["freelist_count", "read"],
  ["function_list", "read"],
  ["index_info", "read"],
  ["index_list", "read"],
  ["index_xinfo", "read"],
  ["integrity_check", "read"],
  ["page_count", "read"],
  ["page_size", "read"],
  ["quick_check", "read"],
  ["schema_version", "read"],
  ["table_info", "read"],
  ["table_list", "read"],
  ["table_xinfo", "read"],
]);

/** Those whose argument says what to look at. */
const questions: ReadonlySet<string> = new Set([
  "foreign_key_check",
  "foreign_key_list",
  "index_info",
  "index_list",
  "index_xinfo",
  "integrity_check",
  "quick_check",
  "table_info",
  "table_list",
  "table_xinfo",
]);

/** Tables that SQLite makes when they are asked for: pages, statements and programs are not the actor's to see. */
const deniedTables: ReadonlySet<string> = new Set([
  "dbstat",
  "sqlite_dbpage",
  "sqlite_dbdata",
  "sqlite_dbptr",
  "sqlite_stmt",
  "bytecode",
  "tables_used",
]);

const deniedFunctions: ReadonlySet<string> = new Set(["load_extension", "fts3_tokenizer"]);
const modules: ReadonlySet<string> = new Set(["fts5", "rtree", "rtree_i32", "geopoly"]);
const OWN = "_troupe_";
const RESERVED = `names that begin with ${OWN} are the runtime's`;

/** What was asked while a statement was prepared. */
export interface Asked {
  readonly writes: boolean;
  readonly schema: boolean;
}

/** Stands between an actor's SQL and its connection. */
export class Authorizer {
  #writes = false;
  #schema = false;
  #alters = false;
  #denied: string | undefined;
  #mine = true;

  constructor(database: Database) {
    database.setAuthorizer((action, first, second, place) =>
      this.#mine ? ALLOW : this.#decide(action, first, second, place),
    );
  }

  /** From now on what is asked for is the user's, and looked at. */
  enter(): void {
    this.#mine = false;
  }

  /** From now on it is the runtime's. */
  leave(): void {
    this.#mine = true;
  }

  /** Prepares a statement of the user's. Throws what SQLite threw, and refuses what it hasn't asked for. */
  prepare<Made extends { readonly sourceSQL: string }>(make: () => Made): { readonly result: Made } & Asked {
    this.#writes = false;
    this.#schema = false;
    this.#alters = false;
    const result = this.#guard(make);
    // Of a table's new name SQLite says nothing.
    if (this.#alters && lower(result.sourceSQL).includes(OWN)) throw sqlErrors.notAllowed(RESERVED);
    return { result, writes: this.#writes, schema: this.#schema };
  }

  /** What was refused since the last time, in words. */
  takeDenied(): string | undefined {
    const denied = this.#denied;
    this.#denied = undefined;
    return denied;
  }

  #guard<Result>(run: () => Result): Result {
    this.enter();
    try {
      return run();
    } finally {
      this.leave();
    }
  }

  #decide(action: number, first: string | null, second: string | null, place: string | null): number {
    const denied = this.#reason(action, first, second) ?? this.#written(action, place);
    if (denied === undefined) return ALLOW;
    this.#denied ??= denied;
    return DENY;
  }

  #reason(action: number, first: string | null, second: string | null): string | undefined {
    // They look at every table, and change none.
    if (action === actions.analyze || action === actions.reindex) return undefined;
    if (isOwn(first) || isOwn(second)) return RESERVED;
    if (action === actions.pragma) return this.#pragma(first ?? "", second);
    if (action === actions.transaction || action === actions.savepoint) return "use c.db.transaction";
    if (action === actions.function)
      return deniedFunctions.has(lower(second)) ? `the function ${second}` : undefined;
    if (action === actions.createVirtualTable && !modules.has(lower(second))) return `the module ${second}`;
    if (action === actions.read && deniedTables.has(lower(first))) return `the table ${first}`;
    return readers.has(action) || writers.has(action) || action === actions.pragma
      ? undefined
      : "this kind of statement";
  }

  /** Keeps in mind what is written. What is written anywhere but in the actor's file is refused. */
  #written(action: number, place: string | null): string | undefined {
    if (!writers.has(action)) return undefined;
    // Every ALTER looks for what has to be renamed there as well.
    if (lower(place) === "temp" && action !== actions.update) return "temporary tables";
    this.#writes = true;
    this.#alters ||= action === actions.alterTable;
    this.#schema ||= !rows.has(action);
    return undefined;
  }

  #pragma(name: string, value: string | null): string | undefined {
    const kind = pragmas.get(lower(name));
    if (kind === undefined) return `the pragma ${name}`;
    if (value === null || questions.has(lower(name))) return undefined;
    if (kind === "read") return `setting the pragma ${name}`;
    this.#writes = true;
    return undefined;
  }
}

function isOwn(name: string | null): boolean {
  return name !== null && lower(name).startsWith(OWN);
}

function lower(name: string | null): string {
  return (name ?? "").toLowerCase();
}
