/**
 * Claims: which generation of each awake actor is the newest, for directories that live in one process.
 *
 * An entry lasts from a claim to its release, so an actor that sleeps costs nothing. A generation that was released is
 * not remembered: it is not the newest any more, and whoever asks for it is told so.
 */
import { storageErrors } from "../errors.ts";
import type { Claim, Generation } from "../ports/directory.ts";

/** Who holds which actor, in memory. */
export class Claims {
  readonly #nextGeneration: () => Generation;
  readonly #newest = new Map<string, Generation>();

  /** `nextGeneration` gives a greater number at each call, also over restarts. */
  constructor(nextGeneration: () => Generation) {
    this.#nextGeneration = nextGeneration;
  }

  claim(id: string): Claim {
    const generation = this.#nextGeneration();
    this.#newest.set(id, generation);
    return { generation };
  }

  /** Throws `storage.fenced` unless `generation` is the newest claim. */
  renew(id: string, generation: Generation): Claim {
    if (this.#newest.get(id) !== generation) throw storageErrors.fenced(id);
    return { generation };
  }

  release(id: string, generation: Generation): void {
    if (this.#newest.get(id) === generation) this.#newest.delete(id);
  }

  /** Throws `storage.fenced` when a newer claim exists. */
  check(id: string, generation: Generation): void {
    const newest = this.#newest.get(id);
    if (newest !== undefined && newest > generation) throw storageErrors.fenced(id);
  }
}
