/**
 * Exact JSON: what a middleware made of a text, with the numbers that it didn't touch spelled as they were.
 *
 * A number keeps its spelling in its place, and a long id wherever it was moved. Never is one number written for another: where a double stands
 * for several of them (…890 and …891), they keep theirs only in a field of the whole that says what it said; elsewhere that double is written.
 */
import { ExactNumbers, isDouble } from "./exact-numbers.ts";

/** Where there is a number perhaps whose spelling would be lost. */
const mayBeOdd = /\d{16}|\d[.eE]|-0/;

/** `now` as JSON, which was `text` before. */
export function exactJson(now: unknown, text: string): string {
  const plain = JSON.stringify(now);
  if (!mayBeOdd.test(text)) return plain;
  const writing = new Writing(new ExactNumbers(text));
  writing.whole(JSON.parse(plain));
  return writing.parts.join("");
}

/** True when `now` is what `text` says, in whatever order and spelling. */
export function saysWhat(now: unknown, text: string): boolean {
  const written = JSON.stringify(now);
  return written !== undefined && isSame(JSON.parse(written), JSON.parse(text), undefined);
}

class Writing {
  readonly parts: string[] = [];
  readonly #numbers: ExactNumbers;

  constructor(numbers: ExactNumbers) {
    this.#numbers = numbers;
  }

  whole(now: unknown): void {
    const then = this.#numbers.value;
    if (this.#numbers.areMixed && isFields(now) && isFields(then))
      this.#fields(now, then, (key) => isSame(now[key], own(then, key), this.#numbers));
    else this.#value(now, then, false);
  }

  /** `isKept`: all of it says what it said. */
  #value(now: unknown, then: unknown, isKept: boolean): void {
    if (Array.isArray(now)) this.#list(now, Array.isArray(then) ? then : [], isKept);
    else if (isFields(now)) this.#fields(now, isFields(then) ? then : {}, () => isKept);
    else this.parts.push(this.#spelled(now, then, isKept));
  }

  #spelled(now: unknown, then: unknown, isKept: boolean): string {
    const spelling = this.#numbers.spellingOf(then);
    if (spelling !== undefined && isDouble(now, spelling) && (isKept || this.#numbers.isCertain(spelling)))
      return spelling;
    return (typeof now === "number" ? this.#numbers.idOf(now) : undefined) ?? JSON.stringify(now);
  }

  #fields(now: Fields, then: Fields, isKept: (key: string) => boolean): void {
    let before = "{";
    for (const key of Object.keys(now)) {
      this.parts.push(before, JSON.stringify(key), ":");
      this.#value(now[key], own(then, key), isKept(key));
      before = ",";
    }
    this.parts.push(before === "{" ? "{}" : "}");
  }

  /** Elements are the same by their place; where some were added or taken away, by the place from that end from which they are. */
  #list(now: readonly unknown[], then: readonly unknown[], isKept: boolean): void {
    const shift = then.length - now.length;
    const most = Math.min(now.length, then.length);
    let head = 0;
    if (shift !== 0) while (head < most && isSame(now[head], then[head], this.#numbers)) head += 1;
    let before = "[";
    for (const [at, value] of now.entries()) {
      this.parts.push(before);
      this.#value(value, then[shift === 0 || at < head ? at : at + shift], isKept);
      before = ",";
    }
    this.parts.push(before === "[" ? "[]" : "]");
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Of what JSON says. `numbers`: those of `then`, where it has them in their spelling. */
function isSame(now: unknown, then: unknown, numbers: ExactNumbers | undefined): boolean {
  const spelling = numbers?.spellingOf(then);
  if (spelling !== undefined) return isDouble(now, spelling);
  if (Array.isArray(now)) {
    if (!Array.isArray(then) || now.length !== then.length) return false;
    for (let at = 0; at < now.length; at += 1) if (!isSame(now[at], then[at], numbers)) return false;
    return true;
  }
  if (!isFields(now) || !isFields(then))
    // On its way through JSON, what no double holds is nothing.
    return now === then || (now === null && typeof then === "number" && !Number.isFinite(then));
  const keys = Object.keys(now);
  if (keys.length !== Object.keys(then).length) return false;
  for (const key of keys)
    if (!Object.hasOwn(then, key) || !isSame(now[key], then[key], numbers)) return false;
  return true;
}

function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
