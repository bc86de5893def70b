/**
 * KeptResults: what calls with idempotency keys came to, for a day.
 *
 * Each is a row, and goes with the batch of the turn in which its call ended: the call's last writes and its result are
 * stored together or not at all. A call that goes on when a batch is taken is noted as begun in that batch, and its result
 * takes the note's place: who finds the note alone knows that the call was cut off. Beside each a row for its place in their
 * order says which are the oldest, and one row
 * how many there are. No wake loads any of them. Whoever keeps one forgets a few of the oldest, if they are past their
 * time or there are too many: so there is never much to do at once, and nothing at a wake.
 *
 *   ~i:k:<digest of action, caller and key>    the result, or that there is none yet
 *   ~i:t:<place>                               its key row, when it was kept, and its size
 *   ~i:n                                       how many, how large, the next place
 */
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import {
  type ActorStore,
  IDEMPOTENCY_PREFIX,
  type MaybePromise,
  type Row,
  type RowChange,
} from "../ports/storage.ts";
import { andThen, listOver, readOver } from "../storage/overlay.ts";
import { BEGUN, decodeKept, encodeKept, type KeptResult, unreadable } from "./kept-result.ts";

/** What the results need from their owner. */
export interface KeptResultsOwner {
  readonly stored: Pick<ActorStore, "read" | "list">;
  /** Something is about to change. Throws when the activation has ended. */
  wrote(): void;
  /** Wall clock, milliseconds. */
  now(): number;
}

interface Totals {
  keys: number;
  bytes: number;
  /** The next one's place. */
  place: number;
}

/** A result that is about to be kept. */
export type NewResult = Pick<KeptResult, "args" | "kind" | "payload" | "bytes">;

const RESULT = `${IDEMPOTENCY_PREFIX}k:`;
const PLACE = `${IDEMPOTENCY_PREFIX}t:`;
const PLACES_END = `${IDEMPOTENCY_PREFIX}t;`;
const TOTALS = `${IDEMPOTENCY_PREFIX}n`;
/** What a result takes beside its payload, about. */
const ROW_BYTES = 256;

/** The kept results of one activation. */
export class KeptResults {
  readonly #owner: KeptResultsOwner;
  /** What no batch has taken yet. */
  #open = new Map<string, Uint8Array | null>();
  /** Places of those that are noted as begun. */
  readonly #begun = new Map<string, number>();
  #totals: Totals | undefined;
  /** The oldest one's time is over then: before, only a crowd is a reason to look. */
  #oldestOver = 0;
  /** Places that were forgotten since the sweep that goes on has asked for its rows. */
  #swept: Set<number> | undefined;

  constructor(owner: KeptResultsOwner) {
    this.#owner = owner;
  }

  /** The result that is kept under an id, or else its other one; one past its time is none. Before anything is kept. */
  find(id: string, other?: string): MaybePromise<KeptResult | undefined> {
    return andThen(readOver(this.#open, this.#owner.stored, [RESULT + id, TOTALS]), ([row, totals]) => {
      this.#totals ??= totals === undefined ? { keys: 0, bytes: 0, place: 0 } : decodeTotals(totals);
      const kept = row === undefined ? undefined : decodeKept(row);
      if (kept !== undefined) {
        if (!this.#isOver(kept.at)) return kept;
        this.#forget(id, kept.place, storedBytes(kept));
      }
      return other === undefined ? undefined : this.find(other);
    });
  }

  /** Keeps a result with the open batch. Throws `actor.stopped`. */
  keep(id: string, result: NewResult): void {
    this.#owner.wrote();
    const begun = this.#begun.get(id);
    if (begun !== undefined) this.#forget(id, begun, ROW_BYTES);
    this.#add(id, result);
  }

  /** Notes in the batch that is being taken that a call has begun; once for each. */
  begin(id: string, args: Uint8Array): void {
    if (this.#begun.has(id)) return;
    this.#begun.set(id, this.#known().place);
    this.#add(id, { args, ...BEGUN });
  }

  #add(id: string, result: NewResult): void {
    const totals = this.#known();
    const { place } = totals;
    const at = this.#owner.now();
    const bytes = storedBytes(result);
    this.#open.set(RESULT + id, encodeKept({ ...result, at, place }));
    this.#open.set(placeKey(place), encodeCbor([id, at, bytes]));
    totals.keys += 1;
    totals.bytes += bytes;
    totals.place += 1;
    this.#count();
  }

  /** Forgets some of the oldest, if they are to be forgotten. */
  sweep(): MaybePromise<void> {
    if (this.#swept !== undefined || (!this.#isCrowded && this.#owner.now() < this.#oldestOver))
      return undefined;
    this.#swept = new Set();
    const range = { start: PLACE, end: PLACES_END, limit: limits.idempotencySweep, reverse: false };
    const done = andThen(listOver(this.#open, this.#owner.stored, range), (rows) => this.#sweep(rows));
    if (done instanceof Promise) return done.finally(() => this.#sweepEnds());
    this.#sweepEnds();
    return undefined;
  }

  #sweepEnds(): void {
    this.#swept = undefined;
  }

  /** Takes what must be stored. */
  take(into: RowChange[]): void {
    if (this.#open.size === 0) return;
    for (const [key, value] of this.#open) into.push({ key, value });
    this.#open = new Map();
  }

  #sweep(rows: readonly Row[]): void {
    this.#oldestOver = 0;
    for (const row of rows) {
      const { id, at, bytes } = decodePlace(row.value);
      const place = Number.parseInt(row.key.slice(PLACE.length), 16);
      if (this.#swept?.has(place) === true) continue;
      if (!this.#isCrowded && !this.#isOver(at)) {
        this.#oldestOver = at + limits.idempotencyKeptMs;
        return;
      }
      this.#forget(id, place, bytes);
    }
  }

  #forget(id: string, place: number, bytes: number): void {
    this.#owner.wrote();
    const totals = this.#known();
    this.#begun.delete(id);
    this.#swept?.add(place);
    this.#open.set(RESULT + id, null);
    this.#open.set(placeKey(place), null);
    totals.keys -= 1;
    totals.bytes -= bytes;
    this.#count();
  }

  #count(): void {
    const { keys, bytes, place } = this.#known();
    this.#open.set(TOTALS, encodeCbor([keys, bytes, place]));
  }

  #known(): Totals {
    if (this.#totals === undefined) throw unreadable();
    return this.#totals;
  }

  get #isCrowded(): boolean {
    const { keys, bytes } = this.#known();
    return keys > limits.idempotencyKeys || bytes > limits.idempotencyBytes;
  }

  #isOver(at: number): boolean {
    return at + limits.idempotencyKeptMs <= this.#owner.now();
  }
}

/** Its place in their order, as text that sorts as the numbers do. */
function placeKey(place: number): string {
  return PLACE + place.toString(16).padStart(14, "0");
}

function storedBytes({ payload }: NewResult): number {
  return payload.byteLength + ROW_BYTES;
}

function decodePlace(row: Uint8Array): { readonly id: string; readonly at: number; readonly bytes: number } {
  const value = decodeCbor(row);
  if (Array.isArray(value)) {
    const [id, at, bytes]: unknown[] = value;
    if (typeof id === "string" && typeof at === "number" && typeof bytes === "number")
      return { id, at, bytes };
  }
  throw unreadable();
}

function decodeTotals(row: Uint8Array): Totals {
  const value = decodeCbor(row);
  if (Array.isArray(value)) {
    const [keys, bytes, place]: unknown[] = value;
    if (typeof keys === "number" && typeof bytes === "number" && typeof place === "number")
      return { keys, bytes, place };
  }
  throw unreadable();
}
