/**
 * Dead letters: messages that were delivered as often as their queue allows, and never completed. They are kept for
 * people, who look at them, send them anew, or throw them away; past a limit the oldest one goes.
 */
import type { Env, Logger } from "@troupe/base";
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import type { MaybePromise } from "../ports/storage.ts";
import { andThen } from "../storage/overlay.ts";
import { queueErrors } from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import { QueueMessage } from "./message.ts";
import { DEAD, endOf, numbered } from "./queue-key.ts";
import type { QueueRows } from "./rows.ts";

/** A message that was given up. */
export interface DeadMessage {
  readonly message: QueueMessage;
  /** Wall clock, milliseconds. */
  readonly diedAt: number;
}

/** What they are made of. */
export interface DeadLettersParts {
  readonly rows: QueueRows;
  readonly ledger: Ledger;
  readonly clock: Env["clock"];
  readonly log: Logger;
}

/** The dead letters of one actor. */
export class DeadLetters {
  readonly #parts: DeadLettersParts;

  constructor(parts: DeadLettersParts) {
    this.#parts = parts;
  }

  /** How many there are. */
  get count(): number {
    return this.#parts.ledger.dead;
  }

  /** A message was given up. */
  add(message: QueueMessage): void {
    const { rows, ledger, clock, log } = this.#parts;
    rows.put(numbered(DEAD, message.id), encodeCbor([message.encode(), clock.now()]));
    ledger.dead += 1;
    ledger.change();
    const { id, name, attempts } = message;
    log.warn("a message of a queue was given up", { queue: name, messageId: id, attempts });
    if (ledger.dead > limits.queueDeadLetters) this.#dropOldest();
  }

  /** In the order of their sending, behind the id `after`. */
  list(after: number, limit: number): MaybePromise<readonly DeadMessage[]> {
    const range = { start: numbered(DEAD, after + 1), end: endOf(DEAD), limit };
    return andThen(this.#parts.rows.list(range), (rows) => rows.map(({ key, value }) => decode(key, value)));
  }

  /** Takes one out. */
  take(id: number): MaybePromise<QueueMessage | undefined> {
    const key = numbered(DEAD, id);
    return andThen(this.#parts.rows.get(key), (row) => {
      if (row === undefined) return undefined;
      this.#remove(key);
      return decode(key, row).message;
    });
  }

  #remove(key: string): void {
    this.#parts.rows.remove(key);
    this.#parts.ledger.dead -= 1;
    this.#parts.ledger.change();
  }

  #dropOldest(): void {
    const dropped = andThen(
      this.#parts.rows.list({ start: DEAD, end: endOf(DEAD), limit: 1 }),
      ([oldest]) => {
        if (oldest === undefined) return;
        this.#remove(oldest.key);
        const { id, name } = decode(oldest.key, oldest.value).message;
        this.#parts.log.error("a dead letter was dropped for newer ones", { queue: name, messageId: id });
      },
    );
    // From afar, and the activation has ended meanwhile: one too many is left.
    if (dropped instanceof Promise) dropped.catch(() => {});
  }
}

function decode(key: string, row: Uint8Array): DeadMessage {
  const value = decodeCbor(row);
  const [message, diedAt] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (!(message instanceof Uint8Array) || typeof diedAt !== "number") throw queueErrors.badRow(key);
  return { message: QueueMessage.decode(key, message), diedAt };
}
