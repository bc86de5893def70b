/**
 * Trace: what happened, as a hash that two runs of one seed must share, and as lines for a person who replays a seed.
 */

/** The record of one run. */
export class Trace {
  readonly #print: ((line: string) => void) | undefined;
  #hash = 0x811c9dc5;
  #now = 0;

  constructor(print?: (line: string) => void) {
    this.#print = print;
  }

  /** The hash of everything so far. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** A macrotask runs. */
  step(lane: string, now: number): void {
    this.#now = now;
    this.#mix(lane);
    this.#number(Math.round(now * 1_000));
  }

  /** Something worth a line. `text` is only made into one when somebody reads. */
  say(who: string, what: string, detail: string | number = ""): void {
    this.#mix(what);
    if (typeof detail === "number") this.#number(detail);
    else this.#mix(detail);
    this.#print?.(`${this.#now.toFixed(3).padStart(12)}  ${who.padEnd(10)} ${what} ${detail}`);
  }

  #mix(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.#number(text.charCodeAt(index));
  }

  #number(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value & 0xffffffff), 0x01000193);
  }
}
