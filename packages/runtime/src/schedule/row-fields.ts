/** RowFields: the fields of a row of the schedules, read with what they must be. */
import { decodeCbor } from "@troupe/protocol";
import { storageErrors } from "../errors.ts";

/** One row, taken apart. Its methods throw `storage.corrupt`. */
export class RowFields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null) throw damaged("it is no object");
    this.#fields = { ...value };
  }

  static of(bytes: Uint8Array): RowFields {
    return new RowFields(decodeCbor(bytes));
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== "string") throw damaged(name);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#fields[name] === undefined ? undefined : this.text(name);
  }

  number(name: string, otherwise?: number): number {
    const value = this.#fields[name] ?? otherwise;
    if (typeof value !== "number") throw damaged(name);
    return value;
  }

  optionalNumber(name: string): number | undefined {
    return this.#fields[name] === undefined ? undefined : this.number(name);
  }

  list(name: string): unknown[] {
    const value = this.#fields[name];
    if (!Array.isArray(value)) throw damaged(name);
    return value;
  }

  fields(name: string): RowFields | undefined {
    const value = this.#fields[name];
    return value === undefined ? undefined : new RowFields(value);
  }

  value(name: string): unknown {
    return this.#fields[name];
  }
}

function damaged(detail: string): Error {
  return storageErrors.corrupt("a schedule", detail);
}
