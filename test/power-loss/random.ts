/** A small seeded generator (mulberry32): the same seed gives the same cuts. The moment of a kill is still the OS's. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer in [low, high]. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.between(0, choices.length - 1)];
    if (chosen === undefined) throw new Error("nothing to pick from");
    return chosen;
  }
}

/** The seed given by `TROUPE_TEST_SEED`, else a fresh one. Print it on failure. */
export function seedOfThisRun(): number {
  const given = process.env.TROUPE_TEST_SEED;
  return given === undefined ? Math.floor(Math.random() * 0xffffffff) : Number(given);
}
