/**
 * Replies: senders that wait until their message was handled.
 *
 * A sender that names its message by a ticket may lose its way to the actor, or the actor its activation, and come again:
 * the ticket's row says where the message is, and when it was handled, what the reply was. Replies are kept until so many
 * newer ones are there; a sender without a ticket gets its reply in this activation or not at all.
 */
import type { TroupeError } from "@troupe/base";
import { decodeCbor, encodeCbor, limits, readUtf8, utf8Bytes } from "@troupe/protocol";
import type { MaybePromise } from "../ports/storage.ts";
import { andThen } from "../storage/overlay.ts";
import { queueErrors } from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import type { QueueMessage } from "./message.ts";
import { replyKey, ticketKey } from "./queue-key.ts";
import type { QueueRows } from "./rows.ts";

/** How a message ended. */
export type Ending =
  /** `reply` is encoded; absent for undefined. */
  | { readonly kind: "handled"; readonly reply: Uint8Array | undefined }
  | { readonly kind: "dead"; readonly error: TroupeError };

/** What a ticket's row says. */
export type Ticket = { readonly kind: "waiting"; readonly id: number } | Ending;

/** Told of the end, once. `undefined`: this activation ends before. */
export type Waiting = (ending: Ending | undefined) => void;

/** Those who wait for messages of one activation to be handled. */
export class Replies {
  readonly #rows: QueueRows;
  readonly #ledger: Ledger;
  readonly #waiting = new Map<number, Set<Waiting>>();

  constructor(rows: QueueRows, ledger: Ledger) {
    this.#rows = rows;
    this.#ledger = ledger;
  }

  /** What became of the message with a ticket; undefined for one that is new, or forgotten. */
  find(ticket: string): MaybePromise<Ticket | undefined> {
    return andThen(this.#rows.get(ticketKey(ticket)), (row) => row && decodeTicket(ticket, row));
  }

  /** A message with a ticket is sent now. */
  expect(message: QueueMessage): void {
    if (message.ticket !== undefined)
      this.#rows.put(ticketKey(message.ticket), encodeCbor(["waiting", message.id]));
  }

  /** Calls `waiting` at the message's end; returns what undoes it. */
  wait(id: number, waiting: Waiting): () => void {
    const all = this.#waiting.get(id) ?? new Set();
    all.add(waiting);
    this.#waiting.set(id, all);
    return () => {
      all.delete(waiting);
      if (all.size === 0) this.#waiting.delete(id);
    };
  }

  /** A message has ended. */
  ended(message: QueueMessage, ending: Ending): void {
    if (message.ticket !== undefined) this.#keep(message, message.ticket, ending);
    const all = this.#waiting.get(message.id);
    if (all === undefined) return;
    this.#waiting.delete(message.id);
    for (const waiting of all) waiting(ending);
  }

  /** The activation ends: nobody gets a reply from it any more. */
  end(): void {
    const everybody = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const all of everybody) for (const waiting of all) waiting(undefined);
  }

  #keep(message: QueueMessage, ticket: string, ending: Ending): void {
    const row =
      ending.kind === "handled"
        ? ["handled", ending.reply ?? null]
        : ["dead", message.name, message.attempts];
    this.#rows.put(ticketKey(ticket), encodeCbor(row));
    this.#rows.put(replyKey(this.#ledger.nextReply), utf8Bytes(ticket));
    this.#ledger.nextReply += 1;
    this.#ledger.change();
    if (this.#ledger.nextReply - this.#ledger.firstReply > limits.queueReplies) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const key = replyKey(this.#ledger.firstReply);
    this.#ledger.firstReply += 1;
    const forgotten = andThen(this.#rows.get(key), (ticket) => {
      this.#rows.remove(key);
      if (ticket !== undefined) this.#rows.remove(ticketKey(readUtf8(ticket)));
    });
    // From afar, and the activation has ended meanwhile: a row is left over, which nobody asks for.
    if (forgotten instanceof Promise) forgotten.catch(() => {});
  }
}

function decodeTicket(ticket: string, row: Uint8Array): Ticket {
  const value = decodeCbor(row);
  const [kind, first, second] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (kind === "waiting" && typeof first === "number") return { kind, id: first };
  if (kind === "handled") return { kind, reply: first instanceof Uint8Array ? first : undefined };
  if (kind === "dead" && typeof first === "string" && typeof second === "number")
    return { kind, error: queueErrors.deadLettered(first, second) };
  throw queueErrors.badRow(ticketKey(ticket));
}
