import type { EncodedEvent } from "../ports/instance.ts";

const NONE: readonly EncodedEvent[] = [];

/** Events that were sent in `onConnect`: the welcome is the first message all the same. */
export class EarlyEvents {
  #events: EncodedEvent[] | undefined;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(event: EncodedEvent): void {
    this.#events ??= [];
    this.#events.push(event);
    this.#bytes += event.bytes;
  }

  /** All of them, once. */
  take(): readonly EncodedEvent[] {
    const events = this.#events ?? NONE;
    this.#events = undefined;
    this.#bytes = 0;
    return events;
  }
}
