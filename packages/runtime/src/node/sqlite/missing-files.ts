/**
 * MissingFiles: files with data in them that aren't where they should be, until they are back: a volume that is mounted late, the
 * rest of a restore. Whoever asks has the file looked for that is the first of those that are still away: one look, however
 * many there are, and no more when it isn't asked.
 */
import { existsSync } from "node:fs";

/** So many are looked for. Of more the next call to each says that it is missing. */
const MOST = 1_000;

/** What was found to be away. */
export class MissingFiles {
  readonly #paths = new Set<string>();

  /** True when none was known to be missing before. */
  add(path: string): boolean {
    if (this.#paths.size < MOST) this.#paths.add(path);
    return this.#paths.size === 1;
  }

  /** True while one is missing. */
  look(): boolean {
    for (const path of this.#paths) {
      if (!existsSync(path)) return true;
      this.#paths.delete(path);
    }
    return false;
  }

  /** None is known to be missing, and none was at the last look. */
  get none(): boolean {
    return this.#paths.size === 0;
  }
}
