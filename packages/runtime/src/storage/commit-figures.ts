/**
 * CommitFigures: how long rounds of commits took, from the write to the end of the sync, and how many batches they had. For `/metrics`:
 * a disk that becomes slow is seen here first. Of a round that needed no write or failed nothing is told.
 */
import type { Clock } from "@troupe/base";
import type { CommitTimes } from "../ports/storage.ts";

/** Bounds of the histogram, seconds: from a disk with a cache of its own to one that hangs. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

/** Those of one data directory, since it was opened. */
export class CommitFigures implements CommitTimes {
  /** Of each bound, and of what is above the last one. */
  readonly #counts: number[] = new Array(BOUNDS.length + 1).fill(0);
  readonly #clock: Pick<Clock, "monotonic">;
  #batches = 0;
  #seconds = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** What {@link note} is given of a round's begin. */
  now(): number {
    return this.#clock.monotonic();
  }

  note(since: number, batches: number): void {
    const seconds = (this.#clock.monotonic() - since) / 1_000;
    const place = BOUNDS.findIndex((bound) => seconds <= bound);
    const at = place < 0 ? BOUNDS.length : place;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#seconds += seconds;
    this.#batches += batches;
  }

  get batches(): number {
    return this.#batches;
  }

  get seconds(): number {
    return this.#seconds;
  }

  get rounds(): number {
    return this.#counts.reduce((sum, count) => sum + count);
  }

  *[Symbol.iterator](): Generator<readonly [bound: number, count: number]> {
    let sum = 0;
    for (const [place, bound] of BOUNDS.entries()) {
      sum += this.#counts[place] ?? 0;
      yield [bound, sum];
    }
  }
}
