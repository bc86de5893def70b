/**
 * Parameters: what a statement's text asks to be given. SQLite reads a parameter that nobody gave as NULL, and node:sqlite
 * doesn't say how many there are: so the text is looked at, once for each that is prepared.
 *
 * SQLite has taken the text already, so every token here is one of its own (https://sqlite.org/lang_expr.html#varparam): what is
 * in quotes or comments is none, `?` takes the next place, `?7` the seventh, and a name the next one where it comes first.
 */
import { sqlErrors } from "../../../sql/errors.ts";
import { type Bindings, isNamed } from "./bindings.ts";

const token =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[\w\u0080-\uffff][\w$\u0080-\uffff]*|(?<place>\?\d*)|(?<name>[$@:#](?:[\w$\u0080-\uffff]|::)+(?:\([^\s)]*\))?)/g;

/** The parameters of one statement. */
export class Parameters {
  /** As many as a list has to have: SQLite's highest number. */
  readonly #count: number = 0;
  /** The texts of those that an object can give, by their number: `:name`, `?7`. */
  readonly #texts = new Map<number, string>();
  /** What an object may call them: with the sign, or without. */
  readonly #keys = new Set<string>();
  /** Some have names, some can't be named. */
  readonly #named: string | undefined;
  readonly #nameless: boolean = false;

  constructor(sql: string) {
    if (!/[?$@:#]/.test(sql)) return;
    const numbers = new Map<string, number>();
    for (const { groups: { place, name } = {} } of sql.matchAll(token)) {
      const text = name ?? place;
      if (text === undefined || numbers.has(text)) continue;
      const isNumbered = name === undefined && text !== "?";
      const number = isNumbered ? Number(text.slice(1)) : this.#count + 1;
      this.#count = Math.max(this.#count, number);
      this.#named ??= name;
      if (text === "?") this.#nameless = true;
      else numbers.set(text, number);
      // `?3` may be the third by its name.
      if (text === "?" || this.#texts.has(number)) continue;
      this.#texts.set(number, text);
      this.#keys.add(text).add(text.slice(1));
    }
  }

  /** Throws `sql.parameters_mismatch` unless each has its value, and each value its parameter. */
  check(values: Bindings): void {
    const why = isNamed(values) ? this.#wrongNames(values) : this.#wrongList(values.length);
    if (why !== undefined) throw sqlErrors.parametersMismatch(why);
  }

  #wrongList(given: number): string | undefined {
    if (this.#named !== undefined) return `"${this.#named}" is given by its name, in an object`;
    return given === this.#count ? undefined : `there are ${this.#count}, and ${given} were given`;
  }

  #wrongNames(values: Readonly<Record<string, unknown>>): string | undefined {
    if (this.#nameless) return "those without a name are given in a list";
    for (const text of this.#texts.values())
      if (!Object.hasOwn(values, text) && !Object.hasOwn(values, text.slice(1)))
        return `"${text}" isn't given`;
    const unknown = Object.keys(values).find((key) => !this.#keys.has(key));
    return unknown === undefined ? undefined : `there is no "${unknown}"`;
  }
}
