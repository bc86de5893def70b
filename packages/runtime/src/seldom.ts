/**
 * Seldom: lines of the log that would say the same for each call or retry. The first is written, and then one a minute, with
 * how many there were in between.
 */
import type { Clock } from "@troupe/base";

/** What fails as it did is said this often. */
export const AGAIN_MS = 60_000;
/** Subjects that are kept in mind; past it all are forgotten, and each is said once more. */
const KEPT = 256;

/** What was said, by its subject. */
export class Seldom {
  readonly #clock: Clock;
  readonly #said = new Map<string, { readonly at: number; more: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many lines of this subject were left out since the last one; `undefined`: this one is left out as well. */
  take(subject: string): number | undefined {
    const at = this.#clock.monotonic();
    const said = this.#said.get(subject);
    if (said !== undefined && at - said.at < AGAIN_MS) {
      said.more += 1;
      return undefined;
    }
    if (this.#said.size >= KEPT) this.#said.clear();
    this.#said.set(subject, { at, more: 0 });
    return said?.more ?? 0;
  }
}
