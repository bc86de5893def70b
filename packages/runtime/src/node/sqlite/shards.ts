/**
 * Shards: which file an actor lives in, and which files are unusable.
 *
 * The first two hex digits of an actor's id are its shard, so an id alone finds it. A shard that can't be opened is
 * set aside: calls to its actors get the error that it was set aside with, everybody else's go on.
 */
import { assert, type TroupeError } from "@troupe/base";
import { storageErrors } from "../../errors.ts";
import { hashText } from "../../storage/actor-key.ts";
import type { Shard } from "./shard.ts";

/** A shard, or why it can't be used. */
export type ShardSlot = { readonly shard: Shard } | { readonly error: TroupeError };

const ID_LENGTH = 32;

/** The shards of a data directory, and which of them an actor is in. */
export class Shards {
  readonly #slots: readonly ShardSlot[];
  #closed = false;

  constructor(slots: readonly ShardSlot[]) {
    this.#slots = slots;
  }

  /** The usable ones, each with its place. */
  *usable(): Generator<readonly [index: number, shard: Shard]> {
    if (this.#closed) throw storageErrors.closed();
    for (const [index, slot] of this.#slots.entries()) {
      if ("shard" in slot) yield [index, slot.shard];
    }
  }

  get count(): number {
    return this.#slots.length;
  }

  /** The shard's place for an address. */
  place(address: string): number {
    return this.#slots.length === 1 ? 0 : hashText(address) % this.#slots.length;
  }

  /** Throws `storage.corrupt` or its like for a shard that was set aside. */
  at(place: number): Shard {
    if (this.#closed) throw storageErrors.closed();
    const slot = this.#slots[place];
    if (slot === undefined) throw storageErrors.closed();
    if ("error" in slot) throw slot.error;
    return slot.shard;
  }

  /**
   * The shard that an id names; undefined when there is none. Anything may come as an id: what isn't one names no
   * shard, or no actor in its shard. A pattern over all 32 digits would cost a creation 4 µs.
   */
  ofId(id: string): Shard | undefined {
    if (id.length !== ID_LENGTH) return undefined;
    const place = 16 * hexDigit(id.charCodeAt(0)) + hexDigit(id.charCodeAt(1));
    return place < this.#slots.length ? this.at(place) : undefined;
  }

  /** No more calls; then closes every file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const shards = Array.from(this.usable(), ([, shard]) => shard);
    this.#closed = true;
    await Promise.all(shards.map((shard) => shard.close()));
  }
}

/** The value of a lower-case hex digit; NaN for any other character. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : Number.NaN;
}

/** An id for a new actor in the shard at `place`: two digits for the shard, and 30 that are its own. */
export function mintId(place: number, digits: string): string {
  return place.toString(16).padStart(2, "0") + digits;
}

/**
 * The digits that are an actor's own: twelve of the time, 18 random ones. `ordered` is a UUIDv7, whose fixed digits are
 * left out. Ids that sort by time append to their index: 10,000 creates in groups of 256 put 2.4 MB into the log, with
 * random ids 15 MB.
 */
export function mintDigits(ordered: string): string {
  assert(ordered.length === 36, "a UUID has 32 digits and 4 dashes");
  const time = ordered.slice(0, 8) + ordered.slice(9, 13);
  return time + ordered.slice(15, 18) + ordered.slice(20, 23) + ordered.slice(24);
}

/** The own digits of an id. */
export function digitsOf(id: string): string {
  return id.slice(2);
}
