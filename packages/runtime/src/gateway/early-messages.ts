import type { Encoding, Message } from "@troupe/protocol";

/** What can be said: its message is made when the encoding is known and nobody has to wait any more. */
export interface Sayable {
  readonly bytes: number;
  message(encoding: Encoding): Message;
}

const NONE: readonly Sayable[] = [];

/**
 * What was said to a client before its welcome, which is its first message all the same: events that were sent in `onConnect`,
 * and what passes by the gate (a pong, the refusal of a call) while the welcome waits there.
 */
export class EarlyMessages {
  #messages: Sayable[] | undefined;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(message: Sayable): void {
    this.#messages ??= [];
    this.#messages.push(message);
    this.#bytes += message.bytes;
  }

  /** All of them, once. */
  take(): readonly Sayable[] {
    const messages = this.#messages ?? NONE;
    this.#messages = undefined;
    this.#bytes = 0;
    return messages;
  }
}
