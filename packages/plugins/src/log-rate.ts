/**
 * LogRate: how many lines a plugin may say to the host's log in a second. What is past it is counted, and the count is told
 * when the second is over, or the plugin is.
 *
 * The host keeps one for each session. An isolate's own program keeps a lower one as well: a line that is dropped where it
 * is made costs nobody else anything. The actor's code shares that realm, and may get around it; it has the host's then.
 */
import type { TimerHandle, Timers } from "@troupe/base";

/** What a rate is made of. */
export interface LogRateParts {
  readonly timers: Timers;
  readonly linesPerSecond: number;
  /** Has the number of lines that were dropped, never zero. */
  readonly tell: (dropped: number) => void;
}

/** Counts one plugin's lines. */
export class LogRate {
  readonly #parts: LogRateParts;
  #lines = 0;
  #dropped = 0;
  /** The second that runs; undefined: nothing was said since the last one. */
  #second: TimerHandle | undefined;

  constructor(parts: LogRateParts) {
    this.#parts = parts;
  }

  /** Whether another line may go. */
  take(): boolean {
    this.#second ??= this.#parts.timers.set(() => this.end(), SECOND_MS, { background: true });
    this.#lines += 1;
    if (this.#lines <= this.#parts.linesPerSecond) return true;
    this.#dropped += 1;
    return false;
  }

  /** The second is over: tells what was dropped, if anything was. */
  end(): void {
    if (this.#second !== undefined) this.#parts.timers.clear(this.#second);
    this.#second = undefined;
    this.#lines = 0;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#parts.tell(dropped);
  }
}

const SECOND_MS = 1_000;

/** What is said of them. */
export function linesDropped(lines: number): string {
  return `${lines} lines dropped: it logs too much`;
}
