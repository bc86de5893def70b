/**
 * salvageShard: a new shard of what can be read of a damaged one.
 *
 * Who exists is read from the table, around places that can't be, and from the indexes, which hold every address as well. Then
 * each actor's rows are read from both ends. An actor of which something is missing, or isn't what was written, isn't
 * passed off as whole: it keeps what is left of it and a row that fails its check, so that its calls go on to fail with
 * `storage.corrupt` until somebody decides; all others are what they were.
 */

import { openShardDatabase } from "../layout.ts";
import { rowCrc } from "../shard-writer.ts";
import type { Database, SqlValue } from "../sqlite.ts";
import { LookedAt } from "./looked-at.ts";
import { walkNumbers } from "./walk-numbers.ts";

/** An actor that isn't whole. */
export interface DamagedActor {
  readonly id: string;
  readonly name: string;
  /** JSON, as the directory has it. */
  readonly key: string;
  /** What is known to be missing or wrong. */
  readonly lost: readonly string[];
}

/** What became of a shard. */
export interface SalvagedShard {
  readonly shard: string;
  /** Actors that are whole. */
  readonly whole: number;
  readonly damaged: readonly DamagedActor[];
}

type Found = Record<string, SqlValue>;

/** The row that marks an actor as damaged: a wake reads it, and its check value is wrong. */
const MARK = "damaged";
const NOTHING = new Uint8Array(0);
/** Whatever the file says: no shard has more actors than this. */
const MOST_NUMBERS = 2 ** 48;

/** Reads `from`, and makes `to`. Throws what SQLite throws when nothing of it can be read. */
export function salvageShard(shard: string, from: string, to: string): SalvagedShard {
  using look = new LookedAt(from);
  const source = look.database;
  const target = openShardDatabase(to, "new");
  try {
    target.exec("BEGIN IMMEDIATE");
    const known = new Set(
      target
        .prepare("PRAGMA table_info(actors)")
        .all()
        .map(({ name }) => String(name)),
    );
    const actors = actorsOf(source);
    const damaged: DamagedActor[] = [];
    const rows = new RowCopy(source, target);
    for (const [number, actor] of actors) {
      const isNew = insert(target, only(actor, known));
      const lost = isNew ? rows.copy(number) : ["its address is another actor's too"];
      if (lost.length === 0) continue;
      if (isNew) rows.mark(number);
      damaged.push({
        id: String(actor["id"]),
        name: String(actor["name"]),
        key: String(actor["key"]),
        lost,
      });
    }
    target.exec("COMMIT");
    return { shard, whole: actors.size - damaged.length, damaged };
  } finally {
    target.close();
  }
}

/** By their numbers. */
function actorsOf(source: Database): ReadonlyMap<number, Found> {
  const actors = new Map<number, Found>();
  const next = source.prepare("SELECT * FROM actors NOT INDEXED WHERE number >= ? ORDER BY number LIMIT 1");
  for (const row of walkNumbers((from) => next.get(from), MOST_NUMBERS))
    actors.set(Number(row["number"]), row);
  for (const [number, row] of fromIndexes(source)) if (!actors.has(number)) actors.set(number, lostRow(row));
  return actors;
}

/** Every living actor's id and address is in two indexes, which are pages of their own. */
function fromIndexes(source: Database): ReadonlyMap<number, Found> {
  const found = new Map<number, Found>();
  const both = (sql: string): void => {
    for (const order of ["ASC", "DESC"])
      for (const row of untilItFails(source, sql.replaceAll("$order", order)))
        found.set(Number(row["number"]), { ...found.get(Number(row["number"])), ...row });
  };
  both("SELECT number, id FROM actors INDEXED BY actors_by_id ORDER BY id $order");
  both(
    "SELECT number, namespace, name, key FROM actors INDEXED BY actors_by_address WHERE destroyed_at IS NULL ORDER BY namespace $order, name $order, key $order",
  );
  both(
    "SELECT number, alarm FROM actors INDEXED BY actors_by_alarm WHERE alarm IS NOT NULL ORDER BY alarm $order",
  );
  for (const [number, row] of found)
    if (row["id"] === undefined || row["name"] === undefined) found.delete(number);
  return found;
}

/** All of it stands in the indexes, but for when it was made, which its id says. */
function lostRow(row: Found): Found {
  return { ...row, created_at: Number.parseInt(String(row["id"]).slice(2, 14), 16) };
}

function* untilItFails(source: Database, sql: string, ...values: SqlValue[]): Generator<Found> {
  try {
    yield* source.prepare(sql).iterate(...values);
  } catch {
    // What is behind it is read from the other end.
  }
}

/** Copies what actors keep. */
class RowCopy {
  readonly #source: Database;
  readonly #target: Database;

  constructor(source: Database, target: Database) {
    this.#source = source;
    this.#target = target;
  }

  /** Says what is lost. */
  copy(actor: number): readonly string[] {
    const sql = "SELECT key, value, crc FROM rows WHERE actor = ? ORDER BY key";
    const up = this.#rows(actor, sql);
    const down = up.failed ? this.#rows(actor, `${sql} DESC`) : up;
    const rows = new Map([...up.rows, ...down.rows]);
    const lost = up.failed ? ["rows that can't be read"] : [];
    const put = this.#target.prepare("INSERT INTO rows (actor, key, value, crc) VALUES (?, ?, ?, ?)");
    for (const [key, { value, crc }] of rows) {
      if (!(value instanceof Uint8Array) || typeof crc !== "number") continue;
      put.run(actor, key, value, crc);
      if (rowCrc(actor, value) !== crc) lost.push(`row "${key}" isn't what was written`);
    }
    return lost;
  }

  mark(actor: number): void {
    const put = this.#target.prepare(
      "INSERT OR REPLACE INTO rows (actor, key, value, crc) VALUES (?, ?, ?, ?)",
    );
    put.run(actor, MARK, NOTHING, rowCrc(actor, NOTHING) ^ 1);
  }

  #rows(actor: number, sql: string): { readonly rows: ReadonlyMap<string, Found>; readonly failed: boolean } {
    const rows = new Map<string, Found>();
    try {
      for (const row of this.#source.prepare(sql).iterate(actor)) rows.set(String(row["key"]), row);
      return { rows, failed: false };
    } catch {
      return { rows, failed: true };
    }
  }
}

function only(row: Found, columns: ReadonlySet<string>): Found {
  return Object.fromEntries(Object.entries(row).filter(([name]) => columns.has(name)));
}

/** False when there is one with its number, id or address. */
function insert(target: Database, row: Found): boolean {
  const names = Object.keys(row);
  const places = names.map(() => "?").join(", ");
  const put = target.prepare(`INSERT OR IGNORE INTO actors (${names.join(", ")}) VALUES (${places})`);
  return put.run(...Object.values(row)).changes === 1;
}
