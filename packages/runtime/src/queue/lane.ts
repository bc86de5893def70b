/**
 * Lane: the messages of one queue that may be delivered, in order.
 *
 * What is in memory is the front of the lane: a message that comes while all of it is there is put behind it, and needs
 * no reading; past a limit messages stay in their rows alone, and are read in pages when it is their turn. A message that
 * was given out isn't here any more, but counts until its row goes.
 */
import { limits } from "@troupe/protocol";
import type { MaybePromise } from "../ports/storage.ts";
import { andThen } from "../storage/overlay.ts";
import { QueueMessage } from "./message.ts";
import { endOf, lanePrefix, numbered } from "./queue-key.ts";
import type { QueueRows } from "./rows.ts";

/** What a lane needs. */
export interface LaneParts {
  readonly name: string;
  readonly rows: QueueRows;
  /** Messages of one page. */
  readonly page: number;
}

/** One queue's line. */
export class Lane {
  readonly name: string;
  readonly prefix: string;
  /** Its rows: those that wait, and those that were given out. */
  count: number;
  readonly #rows: QueueRows;
  readonly #page: number;
  #front: QueueMessage[] = [];
  /** The first of `#front` that is still here. */
  #at = 0;
  #bytes = 0;
  /** Everything up to this id was in memory. */
  #read = 0;
  /** Everything that waits is in memory. */
  #whole: boolean;
  /** Messages came since the last page was asked for. */
  #more = false;
  /** What came back to a place that is being read. */
  #late: QueueMessage[] = [];
  #reading: Promise<void> | undefined;

  constructor(parts: LaneParts, stored: number) {
    this.name = parts.name;
    this.prefix = lanePrefix(parts.name);
    this.#rows = parts.rows;
    this.#page = parts.page;
    this.count = stored;
    this.#whole = stored === 0;
  }

  /** The key of a message's row. */
  keyOf(message: QueueMessage): string {
    return message.keyIn(this.prefix);
  }

  /** A message that was sent now: the last one. */
  add(message: QueueMessage): void {
    this.count += 1;
    const room =
      this.#size < limits.queueHeldMessages && this.#bytes + message.body.byteLength <= limits.queueHeldBytes;
    if (this.#whole && room) this.#push(message);
    else {
      this.#whole = false;
      this.#more = true;
    }
  }

  /** A message comes back to its place. Its row is there; `counted`: it never stopped to count. */
  restore(message: QueueMessage, counted: boolean): void {
    if (!counted) this.count += 1;
    if (this.#reading !== undefined && message.id > this.#read) {
      this.#late.push(message);
      return;
    }
    // Behind what was read it is found by reading on.
    if (!this.#whole && message.id > this.#read) return;
    this.#insert(message);
  }

  /** Sees to it that the first message is in memory, if there is one. */
  ready(): MaybePromise<void> {
    if (this.#whole || this.#size > 0) return undefined;
    if (this.#reading !== undefined) return this.#reading;
    const reading = this.#readOn();
    if (reading instanceof Promise) {
      this.#reading = reading.finally(() => {
        this.#reading = undefined;
      });
      return this.#reading;
    }
    return undefined;
  }

  /** The first message, when {@link ready} is done. */
  get first(): QueueMessage | undefined {
    return this.#front[this.#at];
  }

  /** True when more has to be read to know which one is next. */
  get unread(): boolean {
    return !this.#whole && this.#size === 0;
  }

  /** Takes the first message out. */
  shift(): void {
    const message = this.#front[this.#at];
    if (message === undefined) return;
    this.#bytes -= message.body.byteLength;
    this.#at += 1;
    if (this.#at === this.#front.length) {
      this.#front = [];
      this.#at = 0;
    } else if (this.#at >= limits.queuePageMessages) {
      this.#front.splice(0, this.#at);
      this.#at = 0;
    }
  }

  /** Takes a message out wherever it stands. */
  drop(id: number): void {
    const place = this.#front.findIndex((message, index) => index >= this.#at && message.id === id);
    if (place === -1) return;
    const [message] = this.#front.splice(place, 1);
    this.#bytes -= message?.body.byteLength ?? 0;
  }

  get #size(): number {
    return this.#front.length - this.#at;
  }

  #push(message: QueueMessage): void {
    this.#front.push(message);
    this.#bytes += message.body.byteLength;
    this.#read = Math.max(this.#read, message.id);
  }

  #readOn(): MaybePromise<void> {
    this.#more = false;
    const range = {
      start: numbered(this.prefix, this.#read + 1),
      end: endOf(this.prefix),
      limit: this.#page,
    };
    return andThen(this.#rows.list(range), (rows) => {
      for (const { key, value } of rows) this.#push(QueueMessage.decode(key, value));
      this.#whole = rows.length < this.#page && !this.#more;
      const late = this.#late;
      this.#late = [];
      for (const message of late) this.#keepLate(message);
    });
  }

  #keepLate(message: QueueMessage): void {
    const there = this.#front.some((other) => other.id === message.id);
    if (!there && (this.#whole || message.id <= this.#read)) this.#insert(message);
  }

  #insert(message: QueueMessage): void {
    let place = this.#front.length;
    while (place > this.#at && (this.#front[place - 1]?.id ?? 0) > message.id) place -= 1;
    this.#front.splice(place, 0, message);
    this.#bytes += message.body.byteLength;
    this.#read = Math.max(this.#read, message.id);
  }
}
