/** What an actor's workflows have written since their last batch was taken, and what is stored under it. */
import type { ActorStore, MaybePromise, Row, RowChange, RowRange } from "../ports/storage.ts";
import { andThen, listOver, readOver } from "../storage/overlay.ts";

/** What the rows need from their owner. */
export interface RowsOwner {
  readonly stored: Pick<ActorStore, "read" | "list">;
  /** Something is about to change. Throws when it may not: the activation has ended. */
  wrote(): void;
}

/** The rows of one activation's workflows. */
export class WorkflowRows {
  readonly #owner: RowsOwner;
  #open = new Map<string, Uint8Array | null>();

  constructor(owner: RowsOwner) {
    this.#owner = owner;
  }

  /** With `null` the row goes. */
  write(key: string, value: Uint8Array | null): void {
    this.#owner.wrote();
    this.#open.set(key, value);
  }

  get(key: string): MaybePromise<Uint8Array | undefined> {
    return andThen(readOver(this.#open, this.#owner.stored, [key]), ([value]) => value);
  }

  /** All rows of a range, read `page` at a time: with the largest values a page must fit into one list. */
  async all(start: string, end: string, page: number): Promise<readonly Row[]> {
    const rows: Row[] = [];
    for (let from = start; ; ) {
      const range: RowRange = { start: from, end, limit: page, reverse: false };
      const found = await listOver(this.#open, this.#owner.stored, range);
      rows.push(...found);
      const last = found.at(-1);
      if (last === undefined || found.length < page) return rows;
      from = `${last.key}\0`;
    }
  }

  /** Takes what must be stored. */
  take(into: RowChange[]): void {
    if (this.#open.size === 0) return;
    for (const [key, value] of this.#open) into.push({ key, value });
    this.#open = new Map();
  }
}
