/**
 * Retained events: the newest ones of a name are rows, written in the batch of the turn that broadcasts them, so that a
 * client which was away gets what it missed.
 *
 * Each has a sequence, from 1, which is never used twice in the actor's life. A row for each name holds where its events
 * begin and end; it is loaded at a wake, so that a broadcast reads nothing. The events themselves are read when a client
 * is back.
 */
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import type { ActorStore, MaybePromise, Row, RowChange } from "../ports/storage.ts";
import { andThen, listOver } from "../storage/overlay.ts";
import { eventErrors } from "./errors.ts";
import { RetainedBytes } from "./retained-bytes.ts";

/** Rows that say which events of a name there are have keys with this prefix. */
export const PLACE_PREFIX = "e:";
/** Events have keys with this prefix. */
const EVENT_PREFIX = "~e:";
/** Read at once: with the largest ones well below what one list may have. */
const PAGE = 128;

/** What the events need of their activation. */
export interface RetainedOwner {
  readonly stored: Pick<ActorStore, "read" | "list">;
  /** Something is about to change. Throws when the activation has ended. */
  wrote(): void;
}

/** An event, as it is kept. */
export interface RetainedEvent {
  readonly sequence: number;
  readonly args: readonly unknown[];
}

/** The events of one name: from `first` to `next`, without this one. */
interface Place {
  first: number;
  next: number;
  readonly bytes: RetainedBytes;
}

/** The retained events of one activation. */
export class RetainedEvents {
  readonly #owner: RetainedOwner;
  readonly #places = new Map<string, Place>();
  /** What no batch has taken yet. */
  #open = new Map<string, Uint8Array | null>();
  readonly #moved = new Set<string>();

  constructor(owner: RetainedOwner) {
    this.#owner = owner;
  }

  /** Takes over what storage holds. */
  load(rows: readonly Row[]): void {
    for (const { key, value } of rows) {
      if (!key.startsWith(PLACE_PREFIX)) continue;
      const [first, next, ...bytes] = list(decodeCbor(value));
      const place = { first: Number(first), next: Number(next), bytes: new RetainedBytes(bytes) };
      this.#places.set(key.slice(PLACE_PREFIX.length), place);
    }
  }

  /** The sequence of the newest event; 0 when there was none. */
  newest(name: string): number {
    return this.#place(name).next - 1;
  }

  /** Keeps an event, and `keep` of its name while they are no more than `limits.retainedBytes`. Returns its sequence. Throws `event.too_large`, `value.*`. */
  append(name: string, args: readonly unknown[], keep: number): number {
    const bytes = encodeCbor([...args], "args");
    const limit = limits.retainedEventBytes;
    if (bytes.byteLength > limit) throw eventErrors.tooLarge(name, bytes.byteLength, limit);
    this.#owner.wrote();
    const place = this.#place(name);
    const sequence = place.next;
    place.next += 1;
    this.#open.set(keyOf(name, sequence), bytes);
    place.bytes.add(sequence, bytes.byteLength);
    const oldest = place.bytes.oldest(Math.max(place.first, place.next - keep));
    for (; place.first < oldest; place.first += 1) this.#open.set(keyOf(name, place.first), null);
    this.#places.set(name, place);
    this.#moved.add(name);
    return sequence;
  }

  /** All events behind `after`, in order; `undefined` when some of them aren't there any more. */
  behind(name: string, after: number): MaybePromise<readonly RetainedEvent[] | undefined> {
    const { first, next } = this.#place(name);
    // An actor never forgets what it said: one who knows more has it from somebody else.
    if (after >= next || after + 1 < first) return undefined;
    return andThen(this.#read(name, after + 1, next, []), (events) =>
      // From afar: meanwhile some may have gone.
      events.length === next - after - 1 ? events : undefined,
    );
  }

  /** Takes what must be stored. */
  take(into: RowChange[]): void {
    if (this.#open.size === 0) return;
    for (const [key, value] of this.#open) into.push({ key, value });
    this.#open = new Map();
    for (const name of this.#moved) {
      const { first, next, bytes } = this.#place(name);
      into.push({ key: PLACE_PREFIX + name, value: encodeCbor([first, next, ...bytes.toValue()]) });
    }
    this.#moved.clear();
  }

  #place(name: string): Place {
    return this.#places.get(name) ?? { first: 1, next: 1, bytes: new RetainedBytes() };
  }

  #read(name: string, from: number, to: number, into: RetainedEvent[]): MaybePromise<RetainedEvent[]> {
    if (from >= to) return into;
    const limit = Math.min(PAGE, to - from);
    const range = { start: keyOf(name, from), end: keyOf(name, to), limit, reverse: false };
    return andThen(listOver(this.#open, this.#owner.stored, range), (rows) => {
      for (const { key, value } of rows)
        into.push({ sequence: sequenceOf(key), args: list(decodeCbor(value)) });
      return rows.length < limit ? into : this.#read(name, from + limit, to, into);
    });
  }
}

/** Names hold no control characters: none is another one's beginning. */
function keyOf(name: string, sequence: number): string {
  return `${EVENT_PREFIX}${name}\0${String(sequence).padStart(16, "0")}`;
}

function sequenceOf(key: string): number {
  return Number(key.slice(-16));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
