/**
 * ItemQueue: items that were sent and not taken yet. How many there can be is their sender's matter: it has credit for
 * so many, and gets more as they are taken.
 */
import { limits } from "@troupe/protocol";
import type { ItemSource } from "./item-source.ts";

/** The sender, as the queue uses it. */
export interface ItemSender {
  /** So many more were taken. */
  taken(items: number): void;
  /** Nobody takes any more. */
  cancelled(reason: unknown): void;
}

/** Keeps what comes until somebody takes it. */
export class ItemQueue implements ItemSource {
  readonly #sender: ItemSender;
  /** Credit goes back by halves of the window: a message for each item would double their number. */
  readonly #grant: number;
  #items: unknown[] = [];
  #at = 0;
  #taken = 0;
  #end: { readonly error?: unknown } | undefined;
  #change: (() => void) | undefined;

  /** `window`: the items that the sender has credit for at first. */
  constructor(sender: ItemSender, window: number = limits.streamItems) {
    this.#sender = sender;
    this.#grant = window / 2;
  }

  push(item: unknown): void {
    if (this.#end !== undefined) return;
    this.#items.push(item);
    this.#change?.();
  }

  end(): void {
    this.#end ??= {};
    this.#change?.();
  }

  /** What came before is taken first. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#change?.();
  }

  /** What came before is dropped. */
  abort(error: unknown): void {
    this.#items = [];
    this.#at = 0;
    this.fail(error);
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    while (this.#at === this.#items.length) {
      if (this.#end !== undefined) return this.#over(this.#end);
      await new Promise<void>((change) => {
        this.#change = change;
      });
    }
    const value = this.#items[this.#at];
    this.#at += 1;
    if (this.#at === this.#items.length) {
      this.#items = [];
      this.#at = 0;
    }
    this.#count();
    return { done: false, value };
  }

  cancel(reason: unknown): void {
    const open = this.#end === undefined;
    this.#items = [];
    this.#at = 0;
    this.end();
    if (open) this.#sender.cancelled(reason);
  }

  #over(end: { readonly error?: unknown }): IteratorResult<unknown, undefined> {
    if (!("error" in end)) return { done: true, value: undefined };
    this.#end = {};
    throw end.error;
  }

  #count(): void {
    this.#taken += 1;
    if (this.#taken < this.#grant || this.#end !== undefined) return;
    this.#sender.taken(this.#taken);
    this.#taken = 0;
  }
}
