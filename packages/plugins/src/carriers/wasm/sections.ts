/**
 * What a module declares that the engine's own reflection doesn't tell: the size of its memories and tables, and types
 * whose values live on the engine's heap.
 *
 * Only of bytes that the engine has validated: what is read here is well-formed by then. A memory must say how far it may
 * grow, since nothing else can hold it: the engine knows no other limit. Types of garbage collection are refused, because
 * what is made of them counts as nobody's memory.
 */
import { engineLimits } from "@troupe/protocol";
import { wasmErrors } from "./errors.ts";

const HEADER_BYTES = 8;
const PAGE_BYTES = 64 * 1024;

const Section = { type: 1, table: 4, memory: 5 } as const;

const FUNCTION_TYPE = 0x60;
/** i32, i64, f32, f64, v128, funcref, externref. */
const VALUE_TYPES: ReadonlySet<number> = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f]);
const REFERENCES: ReadonlySet<number> = new Set([0x70, 0x6f]);

/** Bits in front of a minimum. */
const Flag = { maximum: 1, shared: 2, wide: 4 } as const;

/** Checks what a valid module declares. Throws `plugin.wasm_refused`. */
export function checkDeclared(module: Uint8Array, memoryBytes: number): void {
  const reader = new Reader(module, HEADER_BYTES);
  while (!reader.atEnd) {
    const id = reader.byte();
    const length = reader.number();
    const section = reader.part(length);
    if (id === Section.type) checkTypes(section);
    else if (id === Section.table) checkTables(section);
    else if (id === Section.memory) checkMemories(section, memoryBytes);
  }
}

function checkTypes(section: Reader): void {
  for (let left = section.number(); left > 0; left -= 1) {
    if (section.byte() !== FUNCTION_TYPE) throw refusedTypes();
    for (const _ of ["parameters", "results"])
      for (let values = section.number(); values > 0; values -= 1)
        if (!VALUE_TYPES.has(section.byte())) throw refusedTypes();
  }
}

function refusedTypes(): Error {
  return wasmErrors.declarationRefused("it declares types of garbage collection or of exceptions");
}

function checkTables(section: Reader): void {
  let entries = 0;
  for (let left = section.number(); left > 0; left -= 1) {
    if (!REFERENCES.has(section.byte()))
      throw wasmErrors.declarationRefused("it declares a table of typed references");
    const { most } = section.limits("table");
    entries += most ?? Number.POSITIVE_INFINITY;
  }
  if (entries > engineLimits.wasmTableEntries)
    throw wasmErrors.declarationRefused(
      `its tables may grow to ${count(entries, "entries")}; the limit is ${engineLimits.wasmTableEntries}`,
    );
}

function checkMemories(section: Reader, memoryBytes: number): void {
  let bytes = 0;
  for (let left = section.number(); left > 0; left -= 1) {
    const { most } = section.limits("memory");
    bytes += most === undefined ? Number.POSITIVE_INFINITY : most * PAGE_BYTES;
  }
  if (bytes > memoryBytes)
    throw wasmErrors.declarationRefused(
      `its memory may grow to ${count(bytes, "bytes")}; the limit is ${memoryBytes} (wasm-ld: --max-memory=${memoryBytes})`,
    );
}

function count(number: number, what: string): string {
  return Number.isFinite(number) ? `${number} ${what}` : `any number of ${what}`;
}

/** Reads bytes that are known to be well-formed. */
class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.byteLength;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw wasmErrors.declarationRefused("its declarations can't be read");
    this.#at += 1;
    return byte;
  }

  /** LEB128, unsigned. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  part(length: number): Reader {
    const part = new Reader(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return part;
  }

  /** Those of a memory or a table. `most` undefined: it may grow as far as it likes. */
  limits(what: string): { readonly most: number | undefined } {
    const flags = this.byte();
    if ((flags & Flag.shared) !== 0) throw wasmErrors.declarationRefused(`its ${what} is shared`);
    if ((flags & Flag.wide) !== 0)
      throw wasmErrors.declarationRefused(`its ${what} has addresses of 64 bits`);
    if (flags > Flag.maximum) throw wasmErrors.declarationRefused(`its ${what} is of an unknown kind`);
    this.number();
    return { most: (flags & Flag.maximum) === 0 ? undefined : this.number() };
  }
}
