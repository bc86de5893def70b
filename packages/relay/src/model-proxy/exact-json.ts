/**
 * Exact JSON: what a middleware made of a text, with the numbers that it didn't touch as they were. Read and written, a number is the next
 * double: 12345678901234567890 would be …567000, 1e400 null, and 1.0 an integer.
 */

/** Where there is one of them perhaps. */
const mayBeOdd = /\d{16}|\d[.eE]|-0/;

/** Of each Node that runs this. What it makes is written as the text that it was made of. */
const raw: (text: string) => object = Reflect.get(JSON, "rawJSON");
const isRaw: (value: unknown) => value is { readonly rawJSON: string } = Reflect.get(JSON, "isRawJSON");

/** `now` as JSON, which was `text` before. */
export function exactJson(now: unknown, text: string): string {
  if (!mayBeOdd.test(text)) return JSON.stringify(now);
  return JSON.stringify(merged(now, JSON.parse(text, exact)));
}

function exact(_key: string, value: unknown, ...[context]: readonly { readonly source?: string }[]): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined || JSON.stringify(value) === source) return value;
  return raw(source);
}

/** `now` with the numbers of `then` where they are the same. */
function merged(now: unknown, then: unknown): unknown {
  if (isRaw(then)) return isSame(now, then) ? then : now;
  if (Array.isArray(now)) return Array.isArray(then) ? mergedList(now, then) : now;
  if (!isPlain(now) || !isPlain(then)) return now;
  return Object.fromEntries(
    Object.entries(now).map(([key, value]) => [
      key,
      Object.hasOwn(then, key) ? merged(value, then[key]) : value,
    ]),
  );
}

/** Elements are the same by their place; where some were added or taken away, by the place from that end from which they are. */
function mergedList(now: readonly unknown[], then: readonly unknown[]): unknown[] {
  const shift = then.length - now.length;
  let head = 0;
  const most = Math.min(now.length, then.length);
  if (shift !== 0) while (head < most && isSame(now[head], then[head])) head += 1;
  return now.map((value, at) => merged(value, then[shift === 0 || at < head ? at : at + shift]));
}

function isSame(now: unknown, then: unknown): boolean {
  if (isRaw(then)) {
    const value = Number(then.rawJSON);
    // On its way to a plugin, what no double holds is nothing.
    return now === value || (now === null && !Number.isFinite(value));
  }
  if (Array.isArray(now))
    return (
      Array.isArray(then) && now.length === then.length && now.every((value, at) => isSame(value, then[at]))
    );
  if (!isPlain(now) || !isPlain(then)) return now === then;
  const keys = Object.keys(now);
  return (
    keys.length === Object.keys(then).length &&
    keys.every((key) => Object.hasOwn(then, key) && isSame(now[key], then[key]))
  );
}

/** What says itself how it is written has no fields here. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !isRaw(value) &&
    !("toJSON" in value)
  );
}
