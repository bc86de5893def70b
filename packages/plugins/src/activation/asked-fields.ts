/** The fields of what a plugin asks: no compiler looked at them. Throws `plugin.ask_invalid` with the field's name. */
import type { Json } from "@troupe/relay";
import { hostErrors } from "../session/host-errors.ts";

/** One question's. */
export class AskedFields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(input: unknown) {
    if (!isRecord(input)) throw hostErrors.askInvalid("what is asked", "an object");
    this.#fields = input;
  }

  any(name: string): unknown {
    return this.#fields[name];
  }

  text(name: string): string {
    const text = this.optionalText(name);
    if (text === undefined) throw hostErrors.askInvalid(name, "a text");
    return text;
  }

  optionalText(name: string): string | undefined {
    const value = this.#optional(name);
    if (value === undefined || typeof value === "string") return value;
    throw hostErrors.askInvalid(name, "a text");
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T {
    const found = this.optionalOneOf(name, known);
    if (found === undefined) throw hostErrors.askInvalid(name, known.join(", "));
    return found;
  }

  optionalOneOf<T extends string>(name: string, known: readonly T[]): T | undefined {
    const value = this.#optional(name);
    if (value === undefined) return undefined;
    const found = known.find((one) => one === value);
    if (found === undefined) throw hostErrors.askInvalid(name, known.join(", "));
    return found;
  }

  /** Of known texts. */
  optionalList<T extends string>(name: string, known: readonly T[]): readonly T[] | undefined {
    const value = this.#optional(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw hostErrors.askInvalid(name, "a list");
    return value.map((element, at) =>
      new AskedFields({ [`${name}[${at}]`]: element }).oneOf(`${name}[${at}]`, known),
    );
  }

  record(name: string): Readonly<Record<string, unknown>> {
    const value = this.optionalRecord(name);
    if (value === undefined) throw hostErrors.askInvalid(name, "an object");
    return value;
  }

  optionalRecord(name: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#optional(name);
    if (value === undefined || isRecord(value)) return value;
    throw hostErrors.askInvalid(name, "an object");
  }

  /** An object of nothing but JSON. */
  optionalFacts(name: string): { readonly [key: string]: Json } | undefined {
    const value = this.#optional(name);
    if (value === undefined || isFacts(value)) return value;
    throw hostErrors.askInvalid(name, "an object of what JSON can say");
  }

  /** Null is what languages say that have no undefined. */
  #optional(name: string): unknown {
    return this.#fields[name] ?? undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFacts(value: unknown): value is { readonly [key: string]: Json } {
  return isRecord(value) && Object.values(value).every(isJson);
}

function isJson(value: unknown): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  return Array.isArray(value) ? value.every(isJson) : isPlain(value) && isFacts(value);
}

/** Not a Map, a Date, or another object that JSON doesn't know. */
function isPlain(value: unknown): boolean {
  return isRecord(value) && Object.getPrototypeOf(value) === Object.prototype;
}
