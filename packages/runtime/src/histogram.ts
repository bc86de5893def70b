/** Histogram: how often a figure was at most each of some bounds. To note one allocates nothing. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** Of each bound alone, and of what is above the last one. */
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  note(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
    this.#count += 1;
  }

  /** Of all that was noted. */
  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#count;
  }

  /** Each bound, and how many were at most that. */
  *[Symbol.iterator](): Generator<readonly [bound: number, count: number]> {
    let sum = 0;
    for (const [place, bound] of this.#bounds.entries()) {
      sum += this.#counts[place] ?? 0;
      yield [bound, sum];
    }
  }
}
