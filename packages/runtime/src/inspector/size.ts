/**
 * How much an actor has: what its rows weigh, and its database where it has one, whose file holds the rows as well. Rows are counted
 * up to a limit, so that one who only looks doesn't read for long.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { type ActorStore, LAZY_END, type Row } from "../ports/storage.ts";

/** What is told of an actor's size. */
export interface DataSize {
  readonly rows: number;
  /** Of keys and values. */
  readonly bytes: number;
  /** True: there are more rows than were counted. */
  readonly more: boolean;
  /** The database's pages, rows among them; absent without one. */
  readonly databaseBytes?: number;
}

/** Throws `storage.*`. */
export async function readSize(store: ActorStore): Promise<DataSize> {
  let [rows, bytes, start] = [0, 0, ""];
  let page: Page;
  do {
    page = await readPage(store, start);
    for (const { key, value } of page.rows) bytes += key.length + value.byteLength;
    rows += page.rows.length;
    start = `${page.rows.at(-1)?.key}\0`;
  } while (page.more && rows < limits.inspectorScan);
  const database = await databaseBytes(store);
  return { rows, bytes, more: page.more, ...(database !== undefined && { databaseBytes: database }) };
}

interface Page {
  readonly rows: readonly Row[];
  readonly more: boolean;
}

/** As many rows as may be in memory at once. */
async function readPage(store: ActorStore, start: string): Promise<Page> {
  for (let limit: number = limits.inspectorPage; ; limit = Math.ceil(limit / 8)) {
    try {
      const rows = await store.list({ start, end: LAZY_END, limit, reverse: false });
      return { rows, more: rows.length === limit };
    } catch (cause) {
      if (!TroupeError.is(cause) || cause.code !== "list_too_large" || limit === 1) throw cause;
    }
  }
}

async function databaseBytes(store: ActorStore): Promise<number | undefined> {
  const sql = store.sql?.(() => {});
  if (sql === undefined) return undefined;
  const one = async (pragma: string): Promise<number> =>
    Number((await sql.execute(`PRAGMA ${pragma}`, [])).rows[0]?.[0]);
  return (await one("page_count")) * (await one("page_size"));
}
