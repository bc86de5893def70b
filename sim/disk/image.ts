/**
 * Image: what a disk holds, as a program that opens it would read it.
 */
import type { ActorRecord } from "../../packages/runtime/src/ports/directory.ts";
import type { Alarm } from "../../packages/runtime/src/ports/storage.ts";
import { addressText } from "../../packages/runtime/src/storage/actor-key.ts";
import type { RowMap } from "../../packages/runtime/src/storage/row-map.ts";

const NO_ROWS: RowMap = new Map();

/** One actor on disk. */
export interface StoredActor {
  readonly record: ActorRecord;
  readonly rows: Map<string, Uint8Array>;
  alarm: number | undefined;
}

/** One step of a transaction. */
export type Change =
  | { readonly kind: "create"; readonly record: ActorRecord }
  | { readonly kind: "destroy"; readonly id: string }
  | { readonly kind: "row"; readonly id: string; readonly key: string; readonly value: Uint8Array | null }
  | { readonly kind: "alarm"; readonly id: string; readonly at: number | null };

/** A transaction: there as a whole or not at all. */
export type Transaction = readonly Change[];

/** A disk's content. */
export class Image {
  readonly actors = new Map<string, StoredActor>();
  readonly #byAddress = new Map<string, string>();

  clone(): Image {
    const copy = new Image();
    for (const [id, actor] of this.actors) {
      copy.actors.set(id, { record: actor.record, rows: new Map(actor.rows), alarm: actor.alarm });
      copy.#byAddress.set(addressText(actor.record), id);
    }
    return copy;
  }

  byAddress(text: string): ActorRecord | undefined {
    const id = this.#byAddress.get(text);
    return id === undefined ? undefined : this.actors.get(id)?.record;
  }

  rows(id: string): RowMap {
    return this.actors.get(id)?.rows ?? NO_ROWS;
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

  #apply(change: Change): void {
    if (change.kind === "create") {
      this.actors.set(change.record.id, { record: change.record, rows: new Map(), alarm: undefined });
      this.#byAddress.set(addressText(change.record), change.record.id);
      return;
    }
    const actor = this.actors.get(change.id);
    if (actor === undefined) return;
    switch (change.kind) {
      case "row":
        if (change.value === null) actor.rows.delete(change.key);
        else actor.rows.set(change.key, change.value);
        return;
      case "alarm":
        actor.alarm = change.at ?? undefined;
        return;
      case "destroy":
        this.actors.delete(change.id);
        this.#byAddress.delete(addressText(actor.record));
        return;
    }
  }
}
