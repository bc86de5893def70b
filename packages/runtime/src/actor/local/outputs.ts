/**
 * The outputs that an actor of this process makes by itself: events to its connections.
 */
import { assert, type TroupeError } from "@troupe/base";
import { bytesPast, type Encoding, encodeEvent, encodeEventUpTo, limits } from "@troupe/protocol";
import { messageErrors } from "../../errors.ts";
import type { EncodedEvent } from "../../ports/instance.ts";
import { Output } from "../../ports/output.ts";
import type { Message } from "../../ports/transport.ts";
import type { Connection } from "./connection.ts";

/** What an actor says. */
export interface EventParts {
  readonly name: string;
  readonly args: readonly unknown[];
  /** False: it leaves at once, whatever was written. */
  readonly gated: boolean;
  /** Its place, if it is retained. */
  readonly sequence?: number | undefined;
}

/** An event: encoded when it is made, once for each encoding that somebody listens in. */
export class EventMessage implements EncodedEvent {
  readonly #json: Message | undefined;
  readonly #cbor: Message | undefined;
  readonly bytes: number;
  readonly unconfirmed: boolean;

  /** Throws `value.*`, and `message.outgoing_too_long`. */
  constructor(event: EventParts, targets: readonly Connection[], maxBytes: number) {
    const { name, args, gated, sequence } = event;
    this.unconfirmed = !gated;
    const json = targets.some((target) => target.encoding === "json");
    const cbor = targets.some((target) => target.encoding === "cbor");
    const limit = eventLimit(maxBytes);
    this.#json = json ? encodeEvent(name, args, "json", sequence) : undefined;
    const encoded = cbor ? encodeEventUpTo({ name, args, sequence }, limit) : undefined;
    if (typeof encoded === "number") throw messageErrors.outgoingTooLong(encoded, limit);
    this.#cbor = encoded;
    this.bytes = (this.#json?.length ?? 0) + (this.#cbor?.length ?? 0);
    const past = bytesPast(limit, this.#json ?? "") ?? bytesPast(limit, this.#cbor ?? "");
    if (past !== undefined) throw messageErrors.outgoingTooLong(past, limit);
  }

  message(encoding: Encoding): Message {
    const message = encoding === "json" ? this.#json : this.#cbor;
    assert(message !== undefined, "an event goes only to the connections that it was encoded for");
    return message;
  }
}

/**
 * Checks an event that nobody listens to as if somebody did, so that it doesn't begin to fail with the first listener.
 * One that is too long in one encoding may still reach listeners of the other: it fails when it is too long in both.
 * Throws `value.*`, and `message.outgoing_too_long`.
 */
export function checkEvent(name: string, args: readonly unknown[], maxBytes: number): void {
  const limit = eventLimit(maxBytes);
  if (bytesPast(limit, encodeEvent(name, args, "json")) === undefined) return;
  const past = bytesPast(limit, encodeEvent(name, args, "cbor"));
  if (past !== undefined) throw messageErrors.outgoingTooLong(past, limit);
}

/** Bytes that an event of an actor may have, whatever its own option says. */
export function eventLimit(maxBytes: number): number {
  return Math.min(maxBytes, limits.outgoingMessageBytes);
}

/** An event on its way to the connections that were subscribed when it was made. */
export class EventOutput extends Output {
  readonly #event: EncodedEvent;
  readonly #targets: readonly Connection[];
  readonly bytes: number;

  constructor(event: EncodedEvent, targets: readonly Connection[]) {
    super();
    this.#event = event;
    this.#targets = targets;
    this.bytes = event.bytes + targets.length * 8;
  }

  release(): void {
    for (const connection of this.#targets) connection.deliver(this.#event);
  }

  /** The gate is broken or full: a client that misses an event is closed, so that it knows. */
  fail(error: TroupeError): void {
    for (const connection of this.#targets) connection.lost(error);
  }
}
