/**
 * EntryLimit: for how long one entry of an isolate may run.
 *
 *   idle ── begin() ──▶ entered ── end() ──▶ idle
 *                          └── the time is up: `exceeded` is told, once ──▶ reached
 *
 * isolated-vm has a limit for each call, and a thread that wakes for each of them when it is over, long after most calls
 * are: that costs more than the call. Here is one timer for an isolate that works. When it fires, it looks at the entry
 * that runs by then, and at the isolate's own clock, which stands still while the isolate waits for a thread.
 */
import type ivm from "isolated-vm";

/** What a limit is made of. */
export interface EntryLimitParts {
  readonly isolate: Pick<ivm.Isolate, "wallTime" | "isDisposed">;
  readonly limitMs: number;
  /** The entry that runs has had its time. */
  readonly exceeded: () => void;
}

/** One isolate's. */
export class EntryLimit {
  readonly #parts: EntryLimitParts;
  /** The isolate's clock when the entry that runs began; undefined between entries. */
  #began: bigint | undefined;
  /** When the time was up. */
  #reachedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: EntryLimitParts) {
    this.#parts = parts;
  }

  /** An entry ran too long. */
  get reached(): boolean {
    return this.#reachedAt !== undefined;
  }

  /** Milliseconds since an entry that hasn't ended should have; 0 when there is none. */
  get overdueMs(): number {
    return this.#reachedAt === undefined || this.#began === undefined
      ? 0
      : performance.now() - this.#reachedAt;
  }

  begin(): void {
    this.#began = this.#parts.isolate.wallTime;
    this.#timer ??= setTimeout(this.#look, this.#parts.limitMs);
  }

  end(): void {
    this.#began = undefined;
  }

  /** There is no isolate any more. */
  stop(): void {
    this.#began = undefined;
    clearTimeout(this.#timer);
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const { isolate, limitMs } = this.#parts;
    if (this.#began === undefined || isolate.isDisposed) return;
    const leftMs = limitMs - Number(isolate.wallTime - this.#began) / 1e6;
    if (leftMs > 0) {
      this.#timer = setTimeout(this.#look, Math.ceil(leftMs));
    } else {
      this.#reachedAt = performance.now();
      this.#parts.exceeded();
    }
  };
}
