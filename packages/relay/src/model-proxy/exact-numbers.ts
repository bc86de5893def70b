/**
 * ExactNumbers: the numbers of a JSON text whose spelling a double doesn't keep: 12345678901234567890 would be …567000, 1e400 null, and 1.0
 * an integer. Several may be one double: whoever was shown that can't say which of them it gives back, so none is taken for another.
 */
import { endOfString } from "./repeated-key.ts";

const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const SMALL_N = 0x6e;
const number = /[-+.\deE]+/y;
const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/;
/** A double keeps all that is shorter, and has none of these signs. */
const mayBeOdd = /[.eE]|^-0|\d{16}/;
/** What no double holds is read as nothing. */
const NOTHING = Number.NaN;

/** Those of one text. */
export class ExactNumbers {
  /** The text's value, with a string that `spellingOf` knows in the place of each of them. */
  readonly value: unknown;
  /** No text has guessed it. */
  readonly #sign = `${crypto.randomUUID()} `;
  /** By double, the first spelling of each. */
  readonly #spellings = new Map<number, string>();
  /** Doubles that are spelled in several ways. */
  readonly #several = new Set<number>();
  /** Doubles that say something else than one of their spellings does. */
  readonly #inexact = new Set<number>();

  /** `text`: JSON. */
  constructor(text: string) {
    let marked = "";
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) at = endOfString(text, at);
      else if (code === SMALL_N) this.#add("null", NOTHING);
      else if (code === MINUS || (code >= ZERO && code <= NINE)) {
        number.lastIndex = at;
        const [source = ""] = number.exec(text) ?? [];
        if (this.#read(source)) {
          marked += `${text.slice(from, at)}"${this.#sign}${source}"`;
          from = at + source.length;
        }
        at += source.length - 1;
      }
    }
    this.value = JSON.parse(marked + text.slice(from));
  }

  /** True when a double stands for several numbers. */
  get areMixed(): boolean {
    for (const double of this.#inexact) if (this.#several.has(double)) return true;
    return false;
  }

  /** How the number in a place of `value` was spelled; undefined: it is none, or a double keeps it. */
  spellingOf(place: unknown): string | undefined {
    if (typeof place !== "string" || !place.startsWith(this.#sign)) return undefined;
    return place.slice(this.#sign.length);
  }

  /** True when a double that is `spelling`'s is no other number's. */
  isCertain(spelling: string): boolean {
    const double = doubleOf(spelling);
    return !this.#several.has(double) || !this.#inexact.has(double);
  }

  /** Of a whole number so long that it is an id: wherever that is now, nobody has written it anew. */
  idOf(double: number): string | undefined {
    if (!Number.isInteger(double) || Number.isSafeInteger(double)) return undefined;
    return this.#several.has(double) ? undefined : this.#spellings.get(double);
  }

  /** True when its spelling would be lost. */
  #read(source: string): boolean {
    const double = doubleOf(source);
    const isKnown = this.#add(source, double);
    if (!mayBeOdd.test(source) || source === `${double}`) return false;
    if (!isKnown && (Number.isNaN(double) || exactly(source) !== exactly(`${double}`)))
      this.#inexact.add(double);
    return true;
  }

  #add(source: string, double: number): boolean {
    const known = this.#spellings.get(double);
    if (known === undefined) this.#spellings.set(double, source);
    else if (known !== source) this.#several.add(double);
    return known === source;
  }
}

/** True when a number that is read from JSON may be the one that is spelled so. */
export function isDouble(now: unknown, spelling: string): boolean {
  const double = doubleOf(spelling);
  return Number.isNaN(double) ? now === null : now === double;
}

function doubleOf(spelling: string): number {
  const double = Number(spelling);
  return Number.isFinite(double) ? double : NOTHING;
}

/** The same text for the same number, however it is spelled. */
function exactly(spelling: string): string {
  const [, minus = "", whole = "", fraction = "", power = "0"] = parts.exec(spelling) ?? [];
  const digits = whole + fraction;
  let start = 0;
  while (digits[start] === "0") start += 1;
  let end = digits.length;
  while (end > start && digits[end - 1] === "0") end -= 1;
  if (start === end) return "0";
  return `${minus}${digits.slice(start, end)}e${Number(power) - fraction.length + digits.length - end}`;
}
