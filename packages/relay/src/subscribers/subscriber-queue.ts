/**
 * SubscriberQueue: the events that wait for one subscriber.
 *
 * A subscriber gets its events one after the other, in the order of emission, in a macrotask behind the turn that
 * emitted them: it never holds a call up, and a slow one holds up no other. What it hasn't taken waits, up to a limit of
 * events and one of bytes; past either, events are dropped and counted. A subscriber that throws loses the event that it threw at and goes on.
 *
 * Who may observe what: while it handles an event, the current scope is the relay's root, whoever emitted it.
 */
import { limits } from "@troupe/protocol";
import type { RelayEvent } from "../events/event.ts";
import type { Later, Worker } from "../events/later.ts";

/** Events handled before others get their turn. */
const SLICE = 256;

/** How a queue does its work. */
export interface QueueParts {
  readonly limit: number;
  readonly overflow: "drop_newest" | "drop_oldest";
  readonly handle: (event: RelayEvent) => unknown;
  readonly later: Later;
  /** The queues that have something to do: this one is there while it has. */
  readonly busy: Set<SubscriberQueue>;
  /** Told of the first failure. */
  readonly failed: (error: unknown) => void;
}

/** What became of a subscriber's events. */
export interface SubscriberFigures {
  readonly delivered: number;
  /** Lost because the queue was full. */
  readonly dropped: number;
  /** Lost on their way to the queue: middleware of events couldn't keep up. */
  readonly missed: number;
  /** Lost because the subscriber threw. */
  readonly failed: number;
  readonly waiting: number;
  /** What those that wait take of memory, reckoned. */
  readonly waitingBytes: number;
}

/** The events that wait for one subscriber. */
export class SubscriberQueue implements Worker {
  readonly #parts: QueueParts;
  #events: RelayEvent[] = [];
  /** Of each event. */
  #sizes: number[] = [];
  #bytes = 0;
  #head = 0;
  #handling = false;
  #delivered = 0;
  #dropped = 0;
  #missed = 0;
  #failed = 0;
  /** Events that ever left: handled, failed, or dropped from the front. */
  #left = 0;
  #waiters: { readonly until: number; readonly own: boolean; readonly resolve: () => void }[] = [];
  #released = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  get figures(): SubscriberFigures {
    return {
      delivered: this.#delivered,
      dropped: this.#dropped,
      missed: this.#missed,
      failed: this.#failed,
      waiting: this.#waiting,
      waitingBytes: this.#bytes,
    };
  }

  get isBusy(): boolean {
    return this.#handling;
  }

  /** An event was lost before it came here. */
  miss(): void {
    this.#missed += 1;
  }

  /** `bytes`: what the event takes of memory. */
  offer(event: RelayEvent, bytes: number): void {
    while (!this.#hasRoomFor(bytes)) {
      this.#dropped += 1;
      if (this.#parts.overflow === "drop_newest") return;
      this.#take();
      this.#leave();
    }
    this.#events.push(event);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    if (this.#parts.busy.has(this)) return;
    this.#parts.busy.add(this);
    this.#parts.later(this, () => void this.#drain());
  }

  /**
   * Settles when all that is waiting or being handled now has left. `own`: whoever waits is the subscriber's owner, and
   * waits also when it is released.
   */
  flushed(own = false): Promise<void> {
    const until = this.#left + this.#waiting + (this.#handling ? 1 : 0);
    if (until === this.#left || (this.#isLeftAlone && !own)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ until, own, resolve });
    return promise;
  }

  /** The subscriber is gone. It still gets its events, but from now on others wait for it only while it answers at once. */
  release(): void {
    this.#released = true;
    if (this.#handling) this.#letGo();
  }

  get #isLeftAlone(): boolean {
    return this.#released && this.#handling;
  }

  #letGo(): void {
    const others = this.#waiters.filter(({ own }) => !own);
    this.#waiters = this.#waiters.filter(({ own }) => own);
    for (const { resolve } of others) resolve();
  }

  get #waiting(): number {
    return this.#events.length - this.#head;
  }

  /** An empty queue has room for anything: an event that is larger than all that may wait isn't lost for that. */
  #hasRoomFor(bytes: number): boolean {
    const waiting = this.#waiting;
    if (waiting === 0) return true;
    return waiting < this.#parts.limit && this.#bytes + bytes <= limits.relaySubscriberQueueBytes;
  }

  async #drain(): Promise<void> {
    for (let handled = 0; handled < SLICE; handled++) {
      const event = this.#take();
      if (event === undefined) {
        this.#parts.busy.delete(this);
        return;
      }
      const handling = this.#deliver(event);
      // Waiting costs a turn of the microtasks: most subscribers are done at once.
      if (handling !== undefined) await handling;
    }
    this.#parts.later(this, () => void this.#drain());
  }

  /** Never rejects. */
  #deliver(event: RelayEvent): Promise<void> | undefined {
    this.#handling = true;
    try {
      const answer = this.#parts.handle(event);
      if (answer instanceof Promise) {
        if (this.#released) this.#letGo();
        return answer.then(
          () => this.#handled(),
          (error: unknown) => this.#refused(error),
        );
      }
      this.#handled();
    } catch (error) {
      this.#refused(error);
    }
    return undefined;
  }

  #handled(): void {
    this.#delivered += 1;
    this.#handling = false;
    this.#leave();
  }

  #refused(error: unknown): void {
    this.#failed += 1;
    if (this.#failed === 1) this.#parts.failed(error);
    this.#handling = false;
    this.#leave();
  }

  #take(): RelayEvent | undefined {
    const event = this.#events[this.#head];
    if (event === undefined) return undefined;
    this.#bytes -= this.#sizes[this.#head] ?? 0;
    this.#head += 1;
    // Taken events are let go in blocks: shifting each would move all others.
    if (this.#head === this.#events.length || this.#head >= SLICE) {
      this.#events = this.#events.slice(this.#head);
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  #leave(): void {
    this.#left += 1;
    if (this.#waiters.length === 0) return;
    const settled = this.#waiters.filter(({ until }) => until <= this.#left);
    if (settled.length === 0) return;
    this.#waiters = this.#waiters.filter(({ until }) => until > this.#left);
    for (const { resolve } of settled) resolve();
  }
}
