/**
 * Image: what a disk holds, as a program that opens it would read it.
 */
import type { SqlValue } from "../../packages/runtime/src/node/sqlite/sqlite.ts";
import type { ActorRecord } from "../../packages/runtime/src/ports/directory.ts";
import type { Alarm } from "../../packages/runtime/src/ports/storage.ts";
import { addressText } from "../../packages/runtime/src/storage/actor-key.ts";
import type { RowMap } from "../../packages/runtime/src/storage/row-map.ts";

const NO_ROWS: RowMap = new Map();

/** A table of an actor's own, whole. */
export interface StoredTable {
  /** What made it. */
  readonly sql: string;
  readonly name: string;
  readonly rows: readonly (readonly SqlValue[])[];
}

/** What is on disk of one actor. */
interface StoredData {
  readonly rows: Map<string, Uint8Array>;
  /** Present when the actor has a file of its own. */
  tables: readonly StoredTable[] | undefined;
  alarm: number | undefined;
}

/** One actor on disk. */
export interface StoredActor extends StoredData {
  readonly record: ActorRecord;
}

/** One step of a transaction. */
export type Change =
  | { readonly kind: "create"; readonly record: ActorRecord }
  | { readonly kind: "destroy"; readonly id: string }
  | { readonly kind: "row"; readonly id: string; readonly key: string; readonly value: Uint8Array | null }
  | { readonly kind: "tables"; readonly id: string; readonly tables: readonly StoredTable[] }
  | { readonly kind: "alarm"; readonly id: string; readonly at: number | null };

/** A transaction: there as a whole or not at all. */
export type Transaction = readonly Change[];

/** A disk's content. */
export class Image {
  readonly actors = new Map<string, StoredActor>();
  readonly #byAddress = new Map<string, string>();
  /** Own files of actors that the directory doesn't know, or not yet: each file is synced by itself. */
  readonly #orphans = new Map<string, StoredData>();

  clone(): Image {
    const copy = new Image();
    for (const [id, actor] of this.actors) {
      copy.actors.set(id, { ...actor, rows: new Map(actor.rows) });
      copy.#byAddress.set(addressText(actor.record), id);
    }
    for (const [id, data] of this.#orphans) copy.#orphans.set(id, { ...data, rows: new Map(data.rows) });
    return copy;
  }

  /** A start deletes files of nobody. */
  dropOrphans(): void {
    this.#orphans.clear();
  }

  /** The tables in an actor's own file; `undefined` when it has none. */
  tables(id: string): readonly StoredTable[] | undefined {
    return this.#data(id)?.tables;
  }

  byAddress(text: string): ActorRecord | undefined {
    const id = this.#byAddress.get(text);
    return id === undefined ? undefined : this.actors.get(id)?.record;
  }

  rows(id: string): RowMap {
    return this.#data(id)?.rows ?? NO_ROWS;
  }

  alarms(until: number, limit: number): readonly Alarm[] {
    const due: Alarm[] = [];
    for (const [actorId, { alarm }] of this.actors) {
      if (alarm !== undefined && alarm <= until) due.push({ actorId, at: alarm });
    }
    return due.sort((a, b) => a.at - b.at || (a.actorId < b.actorId ? -1 : 1)).slice(0, limit);
  }

  apply(transaction: Transaction): void {
    for (const change of transaction) this.#apply(change);
  }

  #data(id: string): StoredData | undefined {
    return this.actors.get(id) ?? this.#orphans.get(id);
  }

  #apply(change: Change): void {
    if (change.kind === "create") {
      const { record } = change;
      this.actors.set(record.id, { ...(this.#orphans.get(record.id) ?? nothing()), record });
      this.#orphans.delete(record.id);
      this.#byAddress.set(addressText(record), record.id);
      return;
    }
    if (change.kind === "destroy") {
      const record = this.actors.get(change.id)?.record;
      this.actors.delete(change.id);
      if (record !== undefined) this.#byAddress.delete(addressText(record));
      return;
    }
    this.#applyTo(this.#data(change.id) ?? this.#orphan(change), change);
  }

  /** Rows in the shards belong to actors of the directory; a file of an actor's own is there by itself. */
  #orphan(change: Change): StoredData {
    const data = nothing();
    if (change.kind === "tables") this.#orphans.set(change.id, data);
    return data;
  }

  #applyTo(actor: StoredData, change: Exclude<Change, { readonly kind: "create" | "destroy" }>): void {
    switch (change.kind) {
      case "tables":
        actor.tables = change.tables;
        return;
      case "row":
        if (change.value === null) actor.rows.delete(change.key);
        else actor.rows.set(change.key, change.value);
        return;
      case "alarm":
        actor.alarm = change.at ?? undefined;
        return;
    }
  }
}

function nothing(): StoredData {
  return { rows: new Map(), tables: undefined, alarm: undefined };
}
