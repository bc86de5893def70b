/**
 * Kv: an actor's key-value store.
 *
 * Its rows go with the batch of the turn that wrote them, like those of the state, but no wake loads them: they are read
 * when somebody asks, over what the open batch holds. A write happens when it is called, not when its promise is awaited:
 * of two without an `await` the second one stays. Only a range that is deleted by an actor whose disk is elsewhere has to
 * be asked for first.
 */
import { limits } from "@troupe/protocol";
import type { ActorStore, MaybePromise, Row, RowChange, RowRange } from "../ports/storage.ts";
import { andThen, listOver, readOver } from "../storage/overlay.ts";
import { kvErrors } from "./errors.ts";

/** What the store needs from its owner. */
export interface KvOwner {
  readonly stored: Pick<ActorStore, "read" | "list">;
  /** Something is about to change. Throws when it may not: the activation has ended. */
  wrote(): void;
  /** Throws when the activation has ended. */
  checkLive(): void;
}

/** Rows that are read at once to be deleted: with the largest values well below what one list may have. */
const DELETED_AT_ONCE = 128;

/** The key-value store of one activation. Keys are those of its rows (`kv-key.ts`). */
export class Kv {
  readonly #owner: KvOwner;
  /** What no batch has taken yet. */
  #open = new Map<string, Uint8Array | null>();

  constructor(owner: KvOwner) {
    this.#owner = owner;
  }

  get(keys: readonly string[]): MaybePromise<readonly (Uint8Array | undefined)[]> {
    this.#owner.checkLive();
    return readOver(this.#open, this.#owner.stored, keys);
  }

  /** Rows of a range. Throws `kv.list_too_long`, `storage.list_too_large`. */
  list(range: RowRange): MaybePromise<readonly Row[]> {
    this.#owner.checkLive();
    if (range.limit === 0) return [];
    const limit = Math.min(range.limit, limits.kvListEntries + 1);
    return andThen(listOver(this.#open, this.#owner.stored, { ...range, limit }), (rows) => {
      if (rows.length > limits.kvListEntries) throw kvErrors.listTooLong(limits.kvListEntries);
      return rows;
    });
  }

  /** Puts values, or with `null` deletes. The bytes are the store's from now on. */
  write(changes: readonly RowChange[]): void {
    if (changes.length === 0) return;
    this.#owner.wrote();
    for (const { key, value } of changes) this.#open.set(key, value);
  }

  /** Deletes the rows of a range; in the time that it takes to read them. */
  deleteRange(start: string, end: string): MaybePromise<void> {
    for (let from = start; ; ) {
      const range: RowRange = { start: from, end, limit: DELETED_AT_ONCE, reverse: false };
      const rows = this.list(range);
      // From afar: the rest is deleted as the answers come.
      if (rows instanceof Promise) return rows.then((found) => this.#deleteOn(found, end));
      const last = this.#delete(rows);
      if (last === undefined) return undefined;
      from = `${last}\0`;
    }
  }

  /** Takes what must be stored. */
  take(into: RowChange[]): void {
    if (this.#open.size === 0) return;
    for (const [key, value] of this.#open) into.push({ key, value });
    this.#open = new Map();
  }

  #deleteOn(rows: readonly Row[], end: string): MaybePromise<void> {
    const last = this.#delete(rows);
    return last === undefined ? undefined : this.deleteRange(`${last}\0`, end);
  }

  /** Returns the last key when there may be more behind it. */
  #delete(rows: readonly Row[]): string | undefined {
    this.write(rows.map(({ key }) => ({ key, value: null })));
    return rows.length < DELETED_AT_ONCE ? undefined : rows.at(-1)?.key;
  }
}
