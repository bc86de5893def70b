/** StoredResponses: answers by key, for a time, the ones that were used last. Bounded in number and in size. */
import { limits } from "@troupe/protocol";
import { wholeJson } from "./whole-json.ts";

interface Stored {
  readonly value: unknown;
  readonly until: number;
  readonly size: number;
}

/** Answers by key. */
export class StoredResponses {
  /** In the order of their last use. */
  readonly #stored = new Map<string, Stored>();
  readonly #now: () => number;
  #size = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A copy of the answer; undefined when there is none, or it is too old. */
  get(key: string): { readonly value: unknown } | undefined {
    const found = this.#stored.get(key);
    if (found === undefined) return undefined;
    this.#forget(key, found);
    if (found.until <= this.#now()) return undefined;
    this.#keep(key, found);
    return { value: structuredClone(found.value) };
  }

  /** Keeps a copy of what JSON can say; nothing else is kept. */
  set(key: string, value: unknown, ttlMs: number): void {
    const text = wholeJson(value);
    if (text === undefined || text.length > limits.relayCachedCharacters) return;
    const known = this.#stored.get(key);
    if (known !== undefined) this.#forget(key, known);
    this.#keep(key, { value: JSON.parse(text), until: this.#now() + ttlMs, size: text.length });
    for (const [oldest, stored] of this.#stored) {
      if (this.#stored.size <= limits.relayCachedResponses && this.#size <= limits.relayCachedCharacters)
        break;
      this.#forget(oldest, stored);
    }
  }

  #keep(key: string, stored: Stored): void {
    this.#stored.set(key, stored);
    this.#size += stored.size;
  }

  #forget(key: string, stored: Stored): void {
    this.#stored.delete(key);
    this.#size -= stored.size;
  }
}
