/**
 * LogRate: how many lines an isolate may say to the host's log. What is past it is counted, and the count is told when the
 * second is over, or the isolate is.
 *
 * It is kept twice. In the isolate, where a line that is dropped costs nobody else anything; the actor's code shares that
 * realm, and may get around it. So its process keeps twice the rate: two seconds of the isolate's may lie in one of the
 * process's, with the lines that tell what was dropped.
 */

/** Counts one isolate's lines. */
export class LogRate {
  readonly #linesPerSecond: number;
  readonly #tell: (dropped: number) => void;
  #began = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #dropped = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `tell` has the number of lines that were dropped, never zero. */
  constructor(linesPerSecond: number, tell: (dropped: number) => void) {
    this.#linesPerSecond = linesPerSecond;
    this.#tell = tell;
  }

  /** Whether another line may go. */
  take(): boolean {
    const now = performance.now();
    if (now - this.#began >= SECOND_MS) {
      this.end();
      this.#began = now;
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines <= this.#linesPerSecond) return true;
    this.#dropped += 1;
    this.#timer ??= setTimeout(() => this.end(), SECOND_MS - (now - this.#began));
    return false;
  }

  /** Tells what was dropped, if anything was. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#tell(dropped);
  }
}

const SECOND_MS = 1_000;
