/** ShardReader: every question that is asked of a shard, each a point select or a short range by index. */
import type { ActorAddress, ActorRecord } from "../../ports/directory.ts";
import { type Alarm, LAZY_END, LAZY_START, type Row, type RowRange } from "../../ports/storage.ts";
import { decodeKey } from "../../storage/actor-key.ts";
import { ListSize } from "../../storage/list-size.ts";
import type { DataFile } from "./data-file.ts";
import { rowCrc } from "./shard-writer.ts";
import type { Database, SqlValue, Statement } from "./sqlite.ts";

type Found = Record<string, SqlValue>;

/** An actor as the directory lists it; `position` is where the next page begins. */
export interface ListedActor {
  readonly record: ActorRecord;
  readonly position: ListPosition;
}

/** A place in one shard's order of actors. */
export interface ListPosition {
  readonly name: string;
  readonly keyText: string;
}

/** An actor that is gone, and left something. */
export interface DestroyedActor {
  readonly number: number;
  readonly id: string;
}

const ROW = "SELECT key, value, crc FROM rows";
const ACTOR = "SELECT id, namespace, name, key, created_at FROM actors";

/** All that is read from a shard. */
export class ShardReader {
  readonly #file: DataFile;
  readonly #byAddress: Statement;
  readonly #byId: Statement;
  readonly #number: Statement;
  readonly #alarm: Statement;
  readonly #ownFile: Statement;
  readonly #ownFiles: Statement;
  readonly #rows: Statement;
  readonly #value: Statement;
  readonly #range: Statement;
  readonly #rangeDown: Statement;
  readonly #alarms: Statement;
  readonly #destroyed: Statement;
  readonly #lastNumber: Statement;
  readonly #page: Statement;
  readonly #pageOfName: Statement;

  constructor(file: DataFile, database: Database) {
    this.#file = file;
    this.#byAddress = database.prepare(
      `${ACTOR} WHERE namespace = ? AND name = ? AND key = ? AND destroyed_at IS NULL`,
    );
    this.#byId = database.prepare(`${ACTOR} WHERE id = ? AND destroyed_at IS NULL`);
    this.#number = database.prepare("SELECT number FROM actors WHERE id = ? AND destroyed_at IS NULL");
    this.#alarm = database.prepare("SELECT alarm FROM actors WHERE id = ? AND destroyed_at IS NULL");
    const ownFile = "SELECT id FROM actors WHERE own_file IS NOT NULL AND destroyed_at IS NULL";
    this.#ownFile = database.prepare(`${ownFile} AND number = ?`);
    this.#ownFiles = database.prepare(`${ownFile} LIMIT ?`);
    // Two ranges of the index, around the key-value store.
    this.#rows = database.prepare(
      `${ROW} WHERE actor = ?1 AND key < '${LAZY_START}' UNION ALL ${ROW} WHERE actor = ?1 AND key >= '${LAZY_END}'`,
    );
    this.#value = database.prepare(`${ROW} WHERE actor = ? AND key = ?`);
    const range = `${ROW} WHERE actor = ? AND key >= ? AND key < ? ORDER BY key`;
    this.#range = database.prepare(`${range} LIMIT ?`);
    this.#rangeDown = database.prepare(`${range} DESC LIMIT ?`);
    this.#alarms = database.prepare(
      "SELECT id, alarm FROM actors WHERE alarm IS NOT NULL AND alarm <= ? ORDER BY alarm LIMIT ?",
    );
    this.#destroyed = database.prepare("SELECT number, id FROM actors WHERE destroyed_at IS NOT NULL");
    this.#lastNumber = database.prepare("SELECT max(number) AS number FROM actors");
    this.#page = database.prepare(
      `${ACTOR} WHERE namespace = ? AND (name, key) > (?, ?) AND destroyed_at IS NULL ORDER BY name, key LIMIT ?`,
    );
    this.#pageOfName = database.prepare(
      `${ACTOR} WHERE namespace = ? AND name = ? AND key > ? AND destroyed_at IS NULL ORDER BY key LIMIT ?`,
    );
  }

  byAddress(address: ActorAddress, keyText: string): ActorRecord | undefined {
    return this.#ask(() => this.#record(this.#byAddress.get(address.namespace, address.name, keyText)));
  }

  byId(id: string): ActorRecord | undefined {
    return this.#ask(() => this.#record(this.#byId.get(id)));
  }

  /** The table number of a living actor. */
  number(id: string): number | undefined {
    return this.#ask(() => {
      const found = this.#number.get(id);
      return found === undefined ? undefined : number(found["number"]);
    });
  }

  /** The alarm of a living actor; `undefined` when there is no such actor. */
  alarmOf(id: string): number | null | undefined {
    const found = this.#ask(() => this.#alarm.get(id));
    if (found === undefined) return undefined;
    return found["alarm"] === null ? null : number(found["alarm"]);
  }

  /** True when the actor was made with a file of its own. */
  hasOwnFile(actorNumber: number): boolean {
    return this.#ask(() => this.#ownFile.get(actorNumber)) !== undefined;
  }

  /** Ids of living actors that were, at most so many. */
  ownFiles(most: number): readonly string[] {
    return this.#ask(() => this.#ownFiles.all(most)).map(({ id }) => String(id));
  }

  /** The rows of an actor that a wake loads; throws `storage.corrupt` when one doesn't match its check value. */
  rows(actorNumber: number): readonly Row[] {
    return this.#ask(() => this.#rows.all(actorNumber)).map((found) => this.#row(actorNumber, found));
  }

  /** Values of rows by key; throws `storage.corrupt`. */
  values(actorNumber: number, keys: readonly string[]): readonly (Uint8Array | undefined)[] {
    return keys.map((key) => {
      const found = this.#ask(() => this.#value.get(actorNumber, key));
      return found === undefined ? undefined : this.#row(actorNumber, found).value;
    });
  }

  /** Rows of a range; throws `storage.corrupt`, `storage.list_too_large`. */
  range(actorNumber: number, { start, end, limit, reverse }: RowRange): readonly Row[] {
    const statement = reverse ? this.#rangeDown : this.#range;
    const size = new ListSize();
    const rows: Row[] = [];
    return this.#ask(() => {
      for (const found of statement.iterate(actorNumber, start, end, limit)) {
        const row = this.#row(actorNumber, found);
        size.add(row.value);
        rows.push(row);
      }
      return rows;
    });
  }

  /** Alarms up to a time, earliest first. */
  alarms(until: number, limit: number): Alarm[] {
    return this.#ask(() => this.#alarms.all(until, limit)).map((found) => ({
      actorId: String(found["id"]),
      at: number(found["alarm"]),
    }));
  }

  /** Actors that were destroyed and not yet swept. */
  destroyed(): DestroyedActor[] {
    return this.#ask(() => this.#destroyed.all()).map((found) => ({
      number: number(found["number"]),
      id: String(found["id"]),
    }));
  }

  lastNumber(): number {
    return this.#ask(() => number(this.#lastNumber.get()?.["number"] ?? 0));
  }

  /** Living actors of a namespace, in the order of (name, key), after `after`. */
  page(query: {
    readonly namespace: string;
    readonly name: string | undefined;
    readonly after: ListPosition | undefined;
    readonly limit: number;
  }): ListedActor[] {
    const { namespace, name, limit } = query;
    const after = query.after ?? { name: "", keyText: "" };
    const found = this.#ask(() =>
      name === undefined
        ? this.#page.all(namespace, after.name, after.keyText, limit)
        : this.#pageOfName.all(namespace, name, after.keyText, limit),
    );
    const listed: ListedActor[] = [];
    for (const row of found) {
      const record = this.#record(row);
      if (record === undefined) continue;
      listed.push({ record, position: { name: record.name, keyText: String(row["key"]) } });
    }
    return listed;
  }

  #row(actorNumber: number, { key, value, crc }: Found): Row {
    if (typeof key !== "string" || !(value instanceof Uint8Array) || rowCrc(actorNumber, value) !== crc) {
      throw this.#file.damaged(`row "${String(key)}" of actor number ${actorNumber}`);
    }
    return { key, value };
  }

  #record(found: Found | undefined): ActorRecord | undefined {
    if (found === undefined) return undefined;
    return {
      id: String(found["id"]),
      namespace: String(found["namespace"]),
      name: String(found["name"]),
      key: this.#key(String(found["key"])),
      createdAt: number(found["created_at"]),
    };
  }

  #key(text: string): readonly string[] {
    try {
      return decodeKey(text);
    } catch (error) {
      throw this.#file.damaged(error instanceof Error ? error.message : String(error));
    }
  }

  #ask<Answer>(question: () => Answer): Answer {
    try {
      return question();
    } catch (error) {
      throw this.#file.error(error);
    }
  }
}

function number(value: SqlValue | undefined): number {
  return typeof value === "number" ? value : Number(value);
}
