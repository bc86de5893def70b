/**
 * A table of a manifest while it is read. Each key is asked for once, by its name; `end` refuses whatever was not asked
 * for, so that a misspelt key is never silently nothing.
 */
import { nearest } from "@troupe/base";
import { manifestErrors } from "../errors.ts";

/** What a text must be. */
export interface TextRule {
  /** As the end of "must be …". */
  readonly accepted: string;
  readonly test: (text: string) => boolean;
}

/** One table, with its place in the file. */
export class Table {
  readonly #file: string;
  readonly #path: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  constructor(file: string, values: Readonly<Record<string, unknown>>, path = "") {
    this.#file = file;
    this.#values = values;
    this.#path = path;
  }

  /** The value of a key that must be exactly `value`. */
  exactly<T extends string | number>(key: string, value: T): T {
    const found = this.#take(key);
    if (found !== value) throw this.#invalid(key, JSON.stringify(value));
    return value;
  }

  text(key: string, rule: TextRule): string {
    const text = this.optionalText(key, rule);
    if (text === undefined) throw this.#invalid(key, rule.accepted);
    return text;
  }

  optionalText(key: string, rule: TextRule): string | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value !== "string" || !rule.test(value)) throw this.#invalid(key, rule.accepted);
    return value;
  }

  /** One of `choices`; the fallback where the key is absent, else it must be there. */
  oneOf<T extends string>(key: string, choices: readonly T[], fallback?: T): T {
    const value = this.#take(key) ?? fallback;
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw this.#invalid(key, choices.map((name) => `"${name}"`).join(" or "));
    return choice;
  }

  /** One of `choices`; undefined where the key is absent. */
  optionalNumber(key: string, choices: readonly number[]): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw this.#invalid(key, choices.join(" or "));
    return choice;
  }

  /** A list of texts; empty where the key is absent. */
  list(key: string, rule: TextRule): readonly string[] {
    const value = this.#take(key) ?? [];
    const accepted = `a list of texts, each ${rule.accepted}`;
    if (!Array.isArray(value)) throw this.#invalid(key, accepted);
    const texts = value.filter((entry) => typeof entry === "string" && rule.test(entry));
    if (texts.length !== value.length) throw this.#invalid(key, accepted);
    return texts;
  }

  /** A list of texts, none twice; empty where the key is absent. */
  texts(key: string, rule: TextRule): readonly string[] {
    const texts = this.list(key, rule);
    if (new Set(texts).size === texts.length) return texts;
    throw this.#invalid(key, `a list of different texts, each ${rule.accepted}`);
  }

  /** A table of texts under `key`, by name; empty where the key is absent. */
  entries(
    key: string,
    rule: { readonly name: TextRule; readonly value: TextRule },
  ): ReadonlyMap<string, string> {
    const table = this.table(key);
    const names = Object.keys(table.#values);
    const wrong = names.find((name) => !rule.name.test(name));
    if (wrong !== undefined)
      throw manifestErrors.invalid(this.#file, `a name in ${this.#name(key)}`, wrong, rule.name.accepted);
    return new Map(names.map((name) => [name, table.text(name, rule.value)]));
  }

  /** The table under `key`; an empty one where it is absent, so that the refusal names what is missing in it. */
  table(key: string): Table {
    const value = this.#take(key) ?? {};
    if (!isTable(value)) throw this.#invalid(key, "a table");
    return new Table(this.#file, value, this.#name(key));
  }

  /** Refuses keys that nobody asked for. */
  end(): void {
    const unknown = Object.keys(this.#values).find((key) => !this.#known.has(key));
    if (unknown === undefined) return;
    const meant = nearest(unknown, this.#known);
    throw manifestErrors.unknownKey(this.#file, this.#name(unknown), meant && this.#name(meant));
  }

  #take(key: string): unknown {
    this.#known.add(key);
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
  }

  #invalid(key: string, accepted: string): Error {
    return manifestErrors.invalid(this.#file, this.#name(key), this.#values[key], accepted);
  }

  #name(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
