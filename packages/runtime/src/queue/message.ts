/**
 * A message of a queue: one row from the turn that sends it until the batch that ends it.
 */
import { decodeCbor, encodeCbor } from "@troupe/protocol";
import { queueErrors } from "./errors.ts";
import { numbered } from "./queue-key.ts";

/** What a message is made of. */
export interface MessageParts {
  /** Counts up in the actor, so that it is the order of all messages. */
  readonly id: number;
  readonly name: string;
  /** Wall clock, milliseconds. */
  readonly createdAt: number;
  /** Completable deliveries that have begun. */
  readonly attempts: number;
  /** The sender's, when it may ask for the reply again. */
  readonly ticket: string | undefined;
  /** What it was sent in: a relay's, as text. */
  readonly trace?: string | undefined;
  /** What was sent, encoded. */
  readonly body: Uint8Array;
}

/** One message. Its row is encoded when a batch takes it: most are over before. */
export class QueueMessage implements MessageParts {
  readonly id: number;
  readonly name: string;
  readonly createdAt: number;
  readonly ticket: string | undefined;
  readonly trace: string | undefined;
  readonly body: Uint8Array;
  attempts: number;
  /** A batch has taken its row. */
  stored: boolean;
  /** Its delivery is over: it is delivered again, as another one. */
  givenBack = false;
  /** The sender's value, which nobody else has; spares the first delivery its decoding. */
  #fresh: { readonly value: unknown } | undefined;

  constructor(parts: MessageParts, options: { readonly stored: boolean; readonly fresh?: unknown }) {
    this.id = parts.id;
    this.name = parts.name;
    this.createdAt = parts.createdAt;
    this.attempts = parts.attempts;
    this.ticket = parts.ticket;
    this.trace = parts.trace;
    this.body = parts.body;
    this.stored = options.stored;
    this.#fresh = "fresh" in options ? { value: options.fresh } : undefined;
  }

  /** What was sent: a value of the caller's own. */
  value(): unknown {
    const fresh = this.#fresh;
    this.#fresh = undefined;
    return fresh === undefined ? decodeCbor(this.body) : fresh.value;
  }

  /** Its place in its queue. */
  keyIn(lanePrefix: string): string {
    return QueueMessage.keyAt(lanePrefix, this.id);
  }

  /** The place of a message in its queue. */
  static keyAt(lanePrefix: string, id: number): string {
    return numbered(lanePrefix, id);
  }

  /** The row. */
  encode(): Uint8Array {
    const row = [this.id, this.name, this.createdAt, this.attempts, this.ticket ?? null, this.body];
    return encodeCbor(this.trace === undefined ? row : [...row, this.trace]);
  }

  /** Reads a row. Throws `queue.message_invalid`. */
  static decode(key: string, row: Uint8Array): QueueMessage {
    const parts = decodeCbor(row);
    if (Array.isArray(parts)) {
      const [id, name, createdAt, attempts, ticket, body, trace] = parts as readonly unknown[];
      if (
        typeof id === "number" &&
        typeof name === "string" &&
        typeof createdAt === "number" &&
        typeof attempts === "number" &&
        (ticket === null || typeof ticket === "string") &&
        body instanceof Uint8Array &&
        (trace === undefined || typeof trace === "string")
      ) {
        const of = { id, name, createdAt, attempts, ticket: ticket ?? undefined, body, trace };
        return new QueueMessage(of, { stored: true });
      }
    }
    throw queueErrors.badRow(key);
  }
}
