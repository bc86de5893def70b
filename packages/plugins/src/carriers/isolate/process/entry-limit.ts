/**
 * EntryLimit: for how long one entry of an isolate may run.
 *
 *   idle ── begin() ──▶ entered ── end() ──▶ idle
 *                          └── the time is up: `exceeded` is told, once ──▶ reached
 *
 * isolated-vm has a limit for each call, and a thread that wakes for each of them when it is over, long after most calls
 * are: that costs more than the call. Here is one timer for an isolate that works. When it fires, it looks at the entry
 * that runs by then, and at the isolate's own clock, which stands still while the isolate waits for a thread.
 *
 * That clock goes on while a busy machine gives the thread no processor. So no more counts of what went by than the
 * whole process had of processors meanwhile, which is never less than what the entry had. One that sleeps has none of a
 * processor: it is ended all the same, `isolateIdleFactor` times as late.
 */
import { limits } from "@troupe/protocol";
import type ivm from "isolated-vm";

/** What a limit is made of. */
export interface EntryLimitParts {
  readonly isolate: Pick<ivm.Isolate, "wallTime" | "isDisposed">;
  readonly limitMs: number;
  /** Milliseconds that the process has had of processors, all threads together. */
  readonly cpuMs: () => number;
  /** The entry that runs has had its time. */
  readonly exceeded: () => void;
}

/** One isolate's. */
export class EntryLimit {
  readonly #parts: EntryLimitParts;
  /** The isolate's clock when the entry that runs began; undefined between entries. */
  #began: bigint | undefined;
  /** What of the entry is counted, and how much that was. */
  #countedTo = 0n;
  #spentMs = 0;
  /** When the timer was set: by the isolate's clock, and what the process had had by then. */
  #setAt = 0n;
  #setCpuMs = 0;
  #reached = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: EntryLimitParts) {
    this.#parts = parts;
  }

  /** An entry ran too long. */
  get reached(): boolean {
    return this.#reached;
  }

  /** For how long the entry that runs has run; 0: none does. */
  get runsMs(): number {
    const { isolate } = this.#parts;
    if (this.#began === undefined) return 0;
    return isolate.isDisposed ? Infinity : millis(isolate.wallTime - this.#began);
  }

  /** It runs still. */
  get overdue(): boolean {
    return this.#reached && this.#began !== undefined;
  }

  begin(): void {
    this.#began = this.#parts.isolate.wallTime;
    this.#countedTo = this.#began;
    this.#spentMs = 0;
    if (this.#timer === undefined) this.#wait(this.#parts.limitMs, this.#began);
  }

  end(): void {
    this.#began = undefined;
  }

  /** There is no isolate any more. */
  stop(): void {
    this.#began = undefined;
    clearTimeout(this.#timer);
  }

  #wait(ms: number, now: bigint): void {
    this.#setAt = now;
    this.#setCpuMs = this.#parts.cpuMs();
    this.#timer = setTimeout(this.#look, Math.ceil(ms));
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const { isolate, limitMs } = this.#parts;
    if (this.#began === undefined || isolate.isDisposed) return;
    const now = isolate.wallTime;
    this.#count(now);
    const longestMs = limitMs * limits.isolateIdleFactor;
    const leftMs = Math.min(limitMs - this.#spentMs, longestMs - millis(now - this.#began));
    if (leftMs > 0) this.#wait(leftMs, now);
    else {
      this.#reached = true;
      this.#parts.exceeded();
    }
  };

  /** All counts that went by before the timer was set: nobody looked at the processors then. */
  #count(now: bigint): void {
    let lookedFrom = this.#countedTo;
    if (this.#setAt > lookedFrom) lookedFrom = this.#setAt;
    const cpuMs = this.#parts.cpuMs() - this.#setCpuMs;
    this.#spentMs += millis(lookedFrom - this.#countedTo) + Math.min(millis(now - lookedFrom), cpuMs);
    this.#countedTo = now;
  }
}

function millis(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e6;
}
