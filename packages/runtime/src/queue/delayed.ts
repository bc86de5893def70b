/**
 * Delayed: messages whose time is to come: those that wait to be delivered again, which are rows by their time, and those
 * that are out and must be completed by then, which are in memory alone: an activation that ends gives them back anyway.
 */
import { type Env, type Logger, type TimerHandle, wallWaitMs } from "@troupe/base";
import type { MaybePromise } from "../ports/storage.ts";
import { andThen } from "../storage/overlay.ts";
import type { Ledger } from "./ledger.ts";
import { QueueMessage } from "./message.ts";
import { DELAYED, delayedKey, delayedUntil, endOf } from "./queue-key.ts";
import type { QueueRows } from "./rows.ts";

/** What it is made of. */
export interface DelayedParts {
  readonly rows: QueueRows;
  readonly ledger: Ledger;
  readonly env: Pick<Env, "clock" | "timers">;
  readonly log: Logger;
  /** A message's time has come: its row isn't here any more. */
  readonly back: (message: QueueMessage) => void;
}

interface Watched {
  readonly until: number;
  readonly late: () => void;
}

/** Messages that come back in one go. */
const AT_ONCE = 64;

/** The messages of one activation that wait for a time. */
export class Delayed {
  readonly #parts: DelayedParts;
  readonly #watched = new Map<number, Watched>();
  #timer: TimerHandle | undefined;
  /** Wall clock, as all times here. */
  #timerAt = Infinity;
  #moving = false;
  /** The earliest that came since the rows were last asked for. */
  #added = Infinity;
  #stopped = false;

  constructor(parts: DelayedParts) {
    this.#parts = parts;
    this.#arm();
  }

  /** A message waits until `at`. */
  add(message: QueueMessage, at: number): void {
    const { rows, ledger } = this.#parts;
    const key = delayedKey(at, message.id);
    rows.put(key, message);
    ledger.delayed += 1;
    const until = delayedUntil(key);
    this.#added = Math.min(this.#added, until);
    ledger.delayedUntil = Math.min(ledger.delayedUntil ?? Infinity, until);
    ledger.change();
    this.#arm();
  }

  /** Calls `late` at `until`, unless the message is forgotten by then. */
  watch(message: QueueMessage, until: number, late: () => void): void {
    if (until === Infinity) return;
    this.#watched.set(message.id, { until, late });
    if (until < this.#timerAt) this.#arm();
  }

  forget(message: QueueMessage): void {
    this.#watched.delete(message.id);
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm();
  }

  #arm(): void {
    this.#disarm();
    if (this.#stopped) return;
    let next = this.#parts.ledger.delayedUntil ?? Infinity;
    for (const { until } of this.#watched.values()) next = Math.min(next, until);
    if (next === Infinity) return;
    const { clock, timers } = this.#parts.env;
    this.#timerAt = next;
    this.#timer = timers.set(() => this.#due(), wallWaitMs(clock, next), { background: true });
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#parts.env.timers.clear(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  #due(): void {
    const now = this.#parts.env.clock.now();
    for (const [id, { until, late }] of this.#watched) {
      if (until > now) continue;
      this.#watched.delete(id);
      late();
    }
    const { delayedUntil: until } = this.#parts.ledger;
    if (until !== null && until <= now && !this.#moving) this.#moveBack(now);
    else this.#arm();
  }

  #moveBack(now: number): void {
    this.#moving = true;
    const moved = andThen(this.#move(now), () => {
      this.#moving = false;
      this.#arm();
    });
    if (!(moved instanceof Promise)) return;
    moved.catch((cause: unknown) => {
      this.#moving = false;
      // At the end of the activation nobody answers; the next one asks.
      if (!this.#stopped) this.#parts.log.error("reading messages that are due failed", { cause });
    });
  }

  #move(now: number): MaybePromise<void> {
    const { rows, ledger, back } = this.#parts;
    this.#added = Infinity;
    const first = rows.list({ start: DELAYED, end: endOf(DELAYED), limit: AT_ONCE });
    return andThen(first, (found) => {
      if (this.#stopped) return;
      const due = found.filter(({ key }) => delayedUntil(key) <= now);
      const rest = found[due.length];
      // All of them: there may be more.
      const next = rest === undefined ? (due.length === AT_ONCE ? now : Infinity) : delayedUntil(rest.key);
      const until = Math.min(next, this.#added);
      ledger.delayedUntil = until === Infinity ? null : until;
      ledger.delayed -= due.length;
      ledger.change();
      for (const { key, value } of due) {
        rows.remove(key);
        back(QueueMessage.decode(key, value));
      }
    });
  }
}
