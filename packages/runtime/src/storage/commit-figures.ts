/**
 * CommitFigures: how long rounds of commits took, from the write to the end of the sync, and how many batches they had. For `/metrics`:
 * a disk that becomes slow is seen here first. Of a round that needed no write or failed nothing is told.
 */
import type { Clock } from "@troupe/base";
import { Histogram } from "../histogram.ts";
import type { CommitTimes } from "../ports/storage.ts";

/** Bounds of the histogram, seconds: from a disk with a cache of its own to one that hangs. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;

/** Those of one data directory, since it was opened. */
export class CommitFigures implements CommitTimes {
  readonly #times = new Histogram(BOUNDS);
  readonly #clock: Pick<Clock, "monotonic">;
  #batches = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** What {@link note} is given of a round's begin. */
  now(): number {
    return this.#clock.monotonic();
  }

  note(since: number, batches: number): void {
    this.#times.note((this.#clock.monotonic() - since) / 1_000);
    this.#batches += batches;
  }

  get batches(): number {
    return this.#batches;
  }

  get sum(): number {
    return this.#times.sum;
  }

  get count(): number {
    return this.#times.count;
  }

  [Symbol.iterator](): Iterator<readonly [bound: number, count: number]> {
    return this.#times[Symbol.iterator]();
  }
}
