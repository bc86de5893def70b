/**
 * What an actor's queues have written since their last batch was taken, and what is stored under it.
 */
import type { ActorStore, MaybePromise, Row, RowChange, RowRange } from "../ports/storage.ts";
import { listOver, readOver } from "../storage/overlay.ts";
import { QueueMessage } from "./message.ts";

/** What the rows need from their owner. */
export interface RowsOwner {
  readonly stored: Pick<ActorStore, "read" | "list" | "present">;
  /** Something is about to change. Throws when it may not: the activation has ended. */
  wrote(): void;
}

/** The rows of one activation's queues. */
export class QueueRows {
  readonly #owner: RowsOwner;
  #open = new Map<string, QueueMessage | Uint8Array | null>();

  constructor(owner: RowsOwner) {
    this.#owner = owner;
  }

  put(key: string, value: QueueMessage | Uint8Array): void {
    this.#owner.wrote();
    this.#open.set(key, value);
  }

  /** `unstored`: no batch has ever taken the row, so that none has to remove it. */
  remove(key: string, unstored = false): void {
    this.#owner.wrote();
    if (unstored) this.#open.delete(key);
    else this.#open.set(key, null);
  }

  get(key: string): MaybePromise<Uint8Array | undefined> {
    const found = readOver(this.#encoded([key]), this.#owner.stored, [key]);
    return found instanceof Promise ? found.then(([value]) => value) : found[0];
  }

  list(range: Omit<RowRange, "reverse">): MaybePromise<readonly Row[]> {
    const keys = [...this.#open.keys()].filter((key) => key >= range.start && key < range.end);
    return listOver(this.#encoded(keys), this.#owner.stored, { ...range, reverse: false });
  }

  /** Takes what must be stored. */
  take(into: RowChange[]): void {
    if (this.#open.size === 0) return;
    for (const [key, value] of this.#open) {
      if (value instanceof QueueMessage) {
        into.push({ key, value: value.encode() });
        value.stored = true;
      } else into.push({ key, value });
    }
    this.#open = new Map();
  }

  #encoded(keys: readonly string[]): Map<string, Uint8Array | null> {
    const rows = new Map<string, Uint8Array | null>();
    for (const key of keys) {
      const value = this.#open.get(key);
      if (value !== undefined) rows.set(key, value instanceof QueueMessage ? value.encode() : value);
    }
    return rows;
  }
}
