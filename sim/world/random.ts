/**
 * Seeded randomness. Every choice of a run is drawn from generators that descend from one seed; each part of the world
 * has a generator of its own, so that one more draw in one part doesn't change what all the others do.
 */

/** One stream of random numbers: sfc32, which passes PractRand and is a few integer steps. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = Math.imul(stream + 1, 0x9e3779b1) >>> 0;
    for (let round = 0; round < 12; round += 1) this.#next();
  }

  /** A generator that is independent of this one's further draws. */
  fork(): Random {
    return new Random(this.#next() * 2 ** 21 + (this.#next() >>> 11), this.#next());
  }

  /** A float in [0, 1). */
  readonly float = (): number => this.#next() / 2 ** 32;

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  /** A float in [from, to). */
  between(from: number, to: number): number {
    return from + this.float() * (to - from);
  }

  /** True in `probability` of the cases. */
  chance(probability: number): boolean {
    return probability > 0 && this.float() < probability;
  }

  /** One of a list that isn't empty. */
  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new RangeError("nothing to pick from");
    return picked;
  }

  /** Mostly short, seldom long: exponential with this mean. */
  around(mean: number): number {
    return -Math.log(1 - this.float()) * mean;
  }

  /** `digits` lower-case hexadecimal digits. */
  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += this.#next().toString(16).padStart(8, "0");
    return text.slice(0, digits);
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }
}
