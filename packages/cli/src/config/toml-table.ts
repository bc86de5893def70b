/**
 * A table of `troupe.toml` while it is read. Each key is asked for by its name; `end` refuses whatever wasn't, with its line, so
 * that a misspelt key is never silently nothing.
 */
import { nearest } from "@troupe/base";
import { configErrors, optionErrors } from "../errors.ts";
import type { Sourced } from "./setting.ts";
import type { TomlFile } from "./toml-file.ts";

/** One table, with its place in the file. */
export class TomlTable {
  readonly #file: TomlFile;
  readonly #path: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  constructor(file: TomlFile, values: Readonly<Record<string, unknown>>, path: readonly string[] = []) {
    this.#file = file;
    this.#values = values;
    this.#path = path;
  }

  /** A text, through `read`, which is told its place. */
  text<T>(key: string, read: (place: string, text: string) => T): Sourced<T> | undefined {
    return this.#read(key, "a text", (value, place) =>
      typeof value === "string" ? { read: read(place, value) } : undefined,
    );
  }

  flag(key: string): Sourced<boolean> | undefined {
    return this.#read(key, "true or false", (value) =>
      typeof value === "boolean" ? { read: value } : undefined,
    );
  }

  texts<T>(key: string, read: (text: string) => T): Sourced<readonly T[]> | undefined {
    return this.#read(key, "a list of texts", (value) => {
      if (!Array.isArray(value)) return undefined;
      const texts = value.filter((entry) => typeof entry === "string");
      return texts.length === value.length ? { read: texts.map(read) } : undefined;
    });
  }

  /** A table as it is: whoever it is for checks it. */
  whole(key: string, accepted = "a table"): Sourced<Readonly<Record<string, unknown>>> | undefined {
    return this.#read(key, accepted, (value) => (isTable(value) ? { read: value } : undefined));
  }

  /** The table under `key`; an empty one where there is none. `accepted`: what else is told that it should be. */
  table(key: string, accepted?: string): TomlTable {
    return new TomlTable(this.#file, this.whole(key, accepted)?.value ?? {}, [...this.#path, key]);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key);
  }

  /** `file:line: key`. */
  placeOf(key: string): string {
    return `${this.sourceOf(key)}: ${[...this.#path, key].join(".")}`;
  }

  /** `file:line`. */
  sourceOf(key: string): string {
    return this.#file.placeOf([...this.#path, key]);
  }

  /** Refuses keys that nobody asked for: `config.unknown_key`. */
  end(): void {
    const unknown = Object.keys(this.#values).find((key) => !this.#known.has(key));
    if (unknown === undefined) return;
    const name = [...this.#path, unknown].join(".");
    throw configErrors.unknownKey(this.sourceOf(unknown), name, nearest(unknown, this.#known));
  }

  #read<T>(
    key: string,
    accepted: string,
    read: (value: unknown, place: string) => { readonly read: T } | undefined,
  ): Sourced<T> | undefined {
    this.#known.add(key);
    if (!this.has(key)) return undefined;
    const value = this.#values[key];
    const found = read(value, this.placeOf(key));
    if (found === undefined) throw optionErrors.invalid(this.placeOf(key), JSON.stringify(value), accepted);
    return { value: found.read, source: this.sourceOf(key) };
  }
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
