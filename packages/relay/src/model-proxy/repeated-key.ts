/**
 * Repeated key: a key that stands twice in one object of a JSON text. Readers differ in which they take, so that a guardrail would be shown
 * one and a provider might read the other.
 *
 * Looks at each character outside of strings, and over strings as fast as their end is found: most of a request is text.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** So many keys are looked for one by one; a set costs more than that. */
const FEW = 8;

/** The keys of an object that isn't closed yet. */
class Keys {
  readonly #few: string[] = [];
  #many: Set<string> | undefined = undefined;

  /** False: it is there already. */
  add(key: string): boolean {
    if (this.#many === undefined) {
      if (this.#few.includes(key)) return false;
      if (this.#few.push(key) > FEW) this.#many = new Set(this.#few);
      return true;
    }
    return this.#many.size < this.#many.add(key).size;
  }
}

/** The first that is found, of a `text` that is JSON; undefined: there is none. */
export function repeatedKey(text: string): string | undefined {
  /** Undefined for a list. */
  const open: (Keys | undefined)[] = [];
  let keys: Keys | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (keys !== undefined && isColonBehind(text, end)) {
        const key = keyOf(text.slice(at, end + 1));
        if (!keys.add(key)) return key;
      }
      at = end;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      open.push(keys);
      keys = code === OPEN_OBJECT ? new Keys() : undefined;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) keys = open.pop();
  }
  return undefined;
}

/** Where the quote is that ends the string which begins at `start`. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - slashes - 1) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}

/** `end`: of a string. */
function isColonBehind(text: string, end: number): boolean {
  for (let at = end + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x20) return code === COLON;
  }
  return false;
}

/** Two spellings of one key are one key. */
function keyOf(quoted: string): string {
  return quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
}
