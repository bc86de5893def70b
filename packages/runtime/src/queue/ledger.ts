/**
 * Ledger: the one row of an actor's queues that each wake loads. It says how much there is, so that nothing has to be
 * read to know that there is nothing.
 */
import { decodeCbor, encodeCbor } from "@troupe/protocol";
import type { RowChange } from "../ports/storage.ts";
import { queueErrors } from "./errors.ts";
import { LEDGER_ROW } from "./queue-key.ts";

/** The numbers of an actor's queues. */
export class Ledger {
  /** The id of the next message. */
  nextId = 1;
  /** Messages that wait to be delivered again. */
  delayed = 0;
  /** When the first of them may (wall clock, ms). */
  delayedUntil: number | null = null;
  dead = 0;
  /** When the actor wants to be woken for its queues (wall clock, ms). */
  alarm: number | null = null;
  /** The oldest reply that is kept, and the next one's place. */
  firstReply = 0;
  nextReply = 0;
  #changed = false;
  /** Messages by queue, as they were stored. */
  readonly counts: ReadonlyMap<string, number>;

  constructor(counts: ReadonlyMap<string, number> = new Map()) {
    this.counts = counts;
  }

  /** Something in it, or the number of a queue's messages, is another. */
  change(): void {
    this.#changed = true;
  }

  /** Takes the row when it must be stored. */
  take(into: RowChange[], lanes: Iterable<{ readonly name: string; readonly count: number }>): void {
    if (!this.#changed) return;
    this.#changed = false;
    const counts: unknown[] = [];
    for (const { name, count } of lanes) if (count > 0) counts.push(name, count);
    const { nextId, delayed, delayedUntil, dead, alarm, firstReply, nextReply } = this;
    const value = encodeCbor([nextId, delayed, delayedUntil, dead, alarm, firstReply, nextReply, counts]);
    into.push({ key: LEDGER_ROW, value });
  }

  /** Throws `queue.message_invalid`. */
  static load(row: Uint8Array): Ledger {
    const value = decodeCbor(row);
    if (!Array.isArray(value)) throw queueErrors.badRow(LEDGER_ROW);
    const [nextId, delayed, delayedUntil, dead, alarm, firstReply, nextReply, counts] =
      value as readonly unknown[];
    if (!Array.isArray(counts)) throw queueErrors.badRow(LEDGER_ROW);
    const pairs: [string, number][] = [];
    for (let at = 0; at < counts.length; at += 2) pairs.push([String(counts[at]), whole(counts[at + 1])]);
    const ledger = new Ledger(new Map(pairs));
    ledger.nextId = whole(nextId);
    ledger.delayed = whole(delayed);
    ledger.delayedUntil = delayedUntil === null ? null : whole(delayedUntil);
    ledger.dead = whole(dead);
    ledger.alarm = alarm === null ? null : whole(alarm);
    ledger.firstReply = whole(firstReply);
    ledger.nextReply = whole(nextReply);
    return ledger;
  }
}

function whole(value: unknown): number {
  if (typeof value !== "number") throw queueErrors.badRow(LEDGER_ROW);
  return value;
}
