/**
 * The memory that bodies of HTTP requests take while they are read.
 *
 * Each body has a limit of its own; without one for all of them together, a few hundred slow requests would be enough
 * to fill the memory of a process before anything of them was checked.
 */
import { serverErrors } from "../errors.ts";

/** Bytes that all bodies of one gateway may take together. */
export class BodyBudget {
  readonly #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are taken. */
  get used(): number {
    return this.#used;
  }

  /** Takes room for bytes that came. Throws `gateway.busy`. */
  take(bytes: number): void {
    if (this.#used + bytes > this.#limit) throw serverErrors.busy(this.#limit);
    this.#used += bytes;
  }

  /** The bytes were read, or dropped. */
  give(bytes: number): void {
    this.#used -= bytes;
  }
}
