/** Headers for a place that has only the language: as fetch has them, sorted by name when they are listed. */

/** What headers are made of. */
export type HeadersSource = Iterable<readonly [string, string]> | Readonly<Record<string, string>>;

/** Names, in any case, and their values. */
export class WebHeaders {
  readonly #values = new Map<string, string[]>();

  constructor(from: HeadersSource = []) {
    const pairs = Symbol.iterator in from ? from : Object.entries(from);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name: string, value: string): void {
    const key = nameOf(name);
    const values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, [valueText(value)]);
    else values.push(valueText(value));
  }

  set(name: string, value: string): void {
    this.#values.set(nameOf(name), [valueText(value)]);
  }

  delete(name: string): void {
    this.#values.delete(nameOf(name));
  }

  has(name: string): boolean {
    return this.#values.has(nameOf(name));
  }

  get(name: string): string | null {
    return this.#values.get(nameOf(name))?.join(", ") ?? null;
  }

  getSetCookie(): string[] {
    return [...(this.#values.get(COOKIE) ?? [])];
  }

  forEach(callback: (value: string, name: string, headers: this) => void): void {
    for (const [name, value] of this) callback(value, name, this);
  }

  *keys(): Generator<string> {
    for (const [name] of this) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this) yield value;
  }

  entries(): Generator<[string, string]> {
    return this[Symbol.iterator]();
  }

  *[Symbol.iterator](): Generator<[string, string]> {
    for (const name of [...this.#values.keys()].sort()) {
      const values = this.#values.get(name) ?? [];
      // Cookies alone can't be joined.
      if (name !== COOKIE) yield [name, values.join(", ")];
      else for (const value of values) yield [name, value];
    }
  }
}

const COOKIE = "set-cookie";
const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

function nameOf(name: string): string {
  const lower = String(name).toLowerCase();
  if (!token.test(lower)) throw new TypeError(`"${name}" is no name of a header`);
  return lower;
}

function valueText(value: string): string {
  const text = String(value).trim();
  if (/[\0\r\n]/.test(text)) throw new TypeError("The value of a header has no line breaks");
  return text;
}
