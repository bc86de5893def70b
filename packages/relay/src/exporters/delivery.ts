/**
 * Delivery: what waits to be sent, in batches, to somewhere that may be slow or gone.
 *
 * One batch is on its way at a time. What comes meanwhile has its own time to wait for others: to send at once what little there is behind each
 * batch would make more batches of it, the busier its writer is, and most of what a batch costs is the same for a small one. What waits is bounded: past the limit the subscriber waits as well, so that its own
 * queue drops and counts. A batch that can't be sent is tried again with growing pauses when its error says that this may
 * help, then it is lost and counted, and the next batch is tried: an outage never stops what comes behind it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { relayErrors } from "../errors.ts";

/** How a delivery works. */
export interface DeliveryParts<T> {
  /** Where to, for errors: without credentials. */
  readonly target: string;
  /** Sends a batch, or throws; an error that is `retryable` is worth another try. */
  readonly send: (items: readonly T[]) => Promise<void>;
  /** What an item takes of the limit. Default: 1. */
  readonly weigh?: (item: T) => number;
  /** What may wait before the subscriber does. */
  readonly limit: number;
  /** Items of one batch. Default: as many as wait. */
  readonly batch?: number;
  /** How long items may wait for others, or as long as the batch before takes, if that is longer. Milliseconds. */
  readonly delayMs: number;
  /** What waits keeps the process from ending by itself. Default: false. */
  readonly lingers?: boolean;
  /** Tries of one batch. Default: `limits.relayExportTries`. */
  readonly tries?: number;
}

/** What something of so many bytes takes of `limits.relayExportItems`: one place, or its share of `relayExportItemBytes`. */
export function exportWeight(bytes: number): number {
  return Math.max(1, (bytes * limits.relayExportItems) / limits.relayExportItemBytes);
}

/** What waits to be sent. */
export class Delivery<T> {
  readonly #parts: DeliveryParts<T>;
  readonly #waiting: T[] = [];
  #weight = 0;
  #sending: Promise<void> | undefined = undefined;
  /** What waits has waited long enough, is enough for a batch, or is flushed. */
  #due = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  #lost = 0;
  #failures = 0;
  #failure: unknown = undefined;
  #ended = false;

  constructor(parts: DeliveryParts<T>) {
    this.#parts = parts;
  }

  /** Items that couldn't be sent. */
  get lost(): number {
    return this.#lost;
  }

  /** Batches that couldn't be sent. */
  get failures(): number {
    return this.#failures;
  }

  /** Takes an item. Answers a promise when too much waits already: it settles when there is room. */
  add(item: T): Promise<void> | undefined {
    const { weigh, batch = Number.POSITIVE_INFINITY, delayMs, limit } = this.#parts;
    this.#waiting.push(item);
    this.#weight += weigh?.(item) ?? 1;
    if (delayMs === 0 || this.#waiting.length >= batch || this.#weight > limit) this.#start();
    else this.#timer ??= this.#startIn(delayMs);
    return this.#weight > limit ? this.#sending : undefined;
  }

  /** Settles when nothing waits. Throws `relay.export_failed` when something was lost since the last time. */
  async flushed(): Promise<void> {
    this.#start();
    await this.#sending;
    const cause = this.#failure;
    this.#failure = undefined;
    if (cause !== undefined) throw relayErrors.exportFailed(this.#parts.target, this.#lost, cause);
  }

  /** What fails from now on isn't tried again. */
  end(): void {
    this.#ended = true;
  }

  #startIn(delayMs: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.#start(), delayMs);
    return this.#parts.lingers === true ? timer : timer.unref();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = true;
    // The batch before may have taken along what the timer was for: sending nothing would end before it is known to have begun.
    if (this.#waiting.length > 0) this.#sending ??= this.#send();
  }

  /** Never rejects: a failure is kept for whoever flushes. */
  async #send(): Promise<void> {
    const { batch = Number.POSITIVE_INFINITY, weigh } = this.#parts;
    while (this.#due && this.#waiting.length > 0) {
      const items = this.#waiting.splice(0, batch);
      // What is left behind a full one was there when it was due, and is too.
      if (this.#waiting.length === 0) this.#due = false;
      this.#weight = weigh === undefined ? this.#waiting.length : sum(this.#waiting, weigh);
      try {
        await this.#try(items);
      } catch (error) {
        this.#lost += items.length;
        this.#failures += 1;
        this.#failure = error;
      }
    }
    this.#sending = undefined;
  }

  async #try(items: readonly T[]): Promise<void> {
    const { tries = limits.relayExportTries } = this.#parts;
    for (let tried = 1; ; tried++) {
      try {
        await this.#parts.send(items);
        return;
      } catch (error) {
        if (this.#ended || tried >= tries || !TroupeError.is(error) || !error.retryable) throw error;
      }
      await pause(limits.relayExportPauseMs * 2 ** (tried - 1));
    }
  }
}

function sum<T>(items: readonly T[], weigh: (item: T) => number): number {
  return items.reduce((total, item) => total + weigh(item), 0);
}
