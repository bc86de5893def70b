/**
 * Keys of the rows of an actor's queues, below the prefix that no wake loads:
 *
 *   ~q:m:<queue>/<id>   a message, until it is handled; a queue's rows are in the order of its messages
 *   ~q:d:<time>/<id>    a message that waits to be delivered again, by the time when it may
 *   ~q:x:<number>       a dead letter, by the order of their ends
 *   ~q:w:<ticket>       a message that its sender waits for, by the sender's ticket: where it is, or its reply
 *   ~q:a:<number>       the tickets of replies, by the order of the replies
 *
 * Numbers have all their digits, so that characters sort as they do. One row that each wake loads says how much there is.
 */
import { QUEUE_PREFIX } from "../ports/storage.ts";

/** The row that each wake loads: see `ledger.ts`. */
export const LEDGER_ROW = "queues";

const DIGITS = 16;

/** Where messages that wait for their time begin. */
export const DELAYED = `${QUEUE_PREFIX}d:`;
/** Where dead letters begin. */
export const DEAD = `${QUEUE_PREFIX}x:`;

/** Where the messages of a queue begin. Throws for half of a surrogate pair. */
export function lanePrefix(name: string): string {
  return `${QUEUE_PREFIX}m:${encodeURIComponent(name)}/`;
}

/** A key by number below a prefix. */
export function numbered(prefix: string, number: number): string {
  return prefix + String(number).padStart(DIGITS, "0");
}

/** The number at the end of a key. */
export function numberOf(key: string): number {
  return Number(key.slice(-DIGITS));
}

/** Behind every key that begins with `prefix`. */
export function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** A message that may be delivered again at `at` (wall clock, ms). */
export function delayedKey(at: number, id: number): string {
  return numbered(`${numbered(DELAYED, Math.max(0, Math.ceil(at)))}/`, id);
}

/** The moment of a {@link delayedKey}. */
export function delayedUntil(key: string): number {
  return Number(key.slice(DELAYED.length, DELAYED.length + DIGITS));
}

/** A sender's ticket. */
export function ticketKey(ticket: string): string {
  return `${QUEUE_PREFIX}w:${ticket}`;
}

/** The place of a ticket among those that have a reply. */
export function replyKey(number: number): string {
  return numbered(`${QUEUE_PREFIX}a:`, number);
}
