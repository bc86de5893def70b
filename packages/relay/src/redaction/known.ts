/**
 * Known: what was found out of texts that come again and again. The names of properties are the same few in each event, and looking at
 * each with patterns takes longer than all the rest of an event does.
 */

/** What is longer is no name. */
const LONGEST = 64;
/** So many are remembered; then it begins anew, so that names that somebody makes up take no memory for good. */
const MOST = 1_024;

/** Remembers what `find`, which says the same whenever it is asked, has said of short texts. */
export class Known<T> {
  readonly #find: (text: string) => T;
  readonly #found = new Map<string, T>();

  constructor(find: (text: string) => T) {
    this.#find = find;
  }

  of(text: string): T {
    const known = this.#found.get(text);
    if (known !== undefined) return known;
    const found = this.#find(text);
    if (text.length > LONGEST) return found;
    if (this.#found.size === MOST) this.#found.clear();
    this.#found.set(text, found);
    return found;
  }
}
