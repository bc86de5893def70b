/**
 * Large properties of the state: stored in chunks, rows that a wake reads by name.
 *
 * A property whose encoding is larger than a chunk has a row `c:` with its length, and its bytes in rows `~s:`. Of a
 * property that changed only the chunks whose bytes differ are written, so what was stored is kept in memory beside the
 * value. What grows at its end rewrites its last chunk, and its first one, where an array says its length.
 */
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import { storageErrors } from "../../errors.ts";
import type { ActorStore, MaybePromise, Row, RowChange } from "../../ports/storage.ts";
import { andThen } from "../../storage/overlay.ts";

/** Rows of the state have keys with this prefix. */
export const STATE_PREFIX = "s:";
/** Rows that say of a property that it is in chunks, and its length. */
export const CHUNKED_PREFIX = "c:";
/** Chunks. */
const CHUNK_PREFIX = "~s:";
/** Chunks that are read at once. */
const PAGE = 8;

/** Stores the properties of one state. */
export class StateChunks {
  /** Bytes of the properties that are in chunks, as they are stored. */
  readonly #stored: Map<string, Uint8Array>;

  constructor(stored: ReadonlyMap<string, Uint8Array>) {
    this.#stored = new Map(stored);
  }

  /** A property's row, or what must change of its chunks. `null`: it is gone. */
  put(property: string, bytes: Uint8Array | null, into: RowChange[]): void {
    const before = this.#stored.get(property);
    const whole = bytes === null || bytes.byteLength <= limits.stateChunkBytes;
    if (whole || before === undefined)
      into.push({ key: STATE_PREFIX + property, value: whole ? bytes : null });
    if (whole && before === undefined) return;
    const after = whole ? undefined : bytes;
    this.#putChunks(property, before, after, into);
    into.push({
      key: CHUNKED_PREFIX + property,
      value: after === undefined ? null : encodeCbor(after.byteLength),
    });
    if (after === undefined) this.#stored.delete(property);
    else this.#stored.set(property, after);
  }

  #putChunks(
    property: string,
    before: Uint8Array | undefined,
    after: Uint8Array | undefined,
    into: RowChange[],
  ): void {
    const count = Math.max(countOf(before?.byteLength ?? 0), countOf(after?.byteLength ?? 0));
    for (let index = 0; index < count; index += 1) {
      const value = chunkOf(after, index);
      const old = chunkOf(before, index);
      if (value !== undefined && old !== undefined && sameBytes(value, old)) continue;
      into.push({ key: chunkKey(property, index), value: value ?? null });
    }
  }
}

/** The bytes of all properties that are in chunks. At once where the rows are at hand. Throws `storage.corrupt`. */
export function readChunked(
  rows: readonly Row[],
  store: Pick<ActorStore, "read">,
): MaybePromise<ReadonlyMap<string, Uint8Array>> {
  const sizes = rows
    .filter(({ key }) => key.startsWith(CHUNKED_PREFIX))
    .map(({ key, value }) => [key.slice(CHUNKED_PREFIX.length), Number(decodeCbor(value))] as const);
  return readAll(sizes, store, new Map());
}

function readAll(
  [first, ...rest]: readonly (readonly [property: string, bytes: number])[],
  store: Pick<ActorStore, "read">,
  into: Map<string, Uint8Array>,
): MaybePromise<Map<string, Uint8Array>> {
  if (first === undefined) return into;
  const [property, byteLength] = first;
  const bytes = new Uint8Array(byteLength);
  return andThen(readInto({ property, bytes, store }, 0), () => {
    into.set(property, bytes);
    return readAll(rest, store, into);
  });
}

interface Reading {
  readonly property: string;
  readonly bytes: Uint8Array;
  readonly store: Pick<ActorStore, "read">;
}

function readInto(reading: Reading, from: number): MaybePromise<void> {
  const { property, bytes, store } = reading;
  const count = Math.min(countOf(bytes.byteLength) - from, PAGE);
  if (count <= 0) return;
  const keys = Array.from({ length: count }, (_, index) => chunkKey(property, from + index));
  return andThen(store.read(keys), (chunks) => {
    for (const [index, chunk] of chunks.entries()) {
      const offset = (from + index) * limits.stateChunkBytes;
      if (chunk === undefined || offset + chunk.byteLength > bytes.byteLength) {
        throw storageErrors.corrupt("the state", `a chunk of "${property}"`);
      }
      bytes.set(chunk, offset);
    }
    return readInto(reading, from + count);
  });
}

function countOf(byteLength: number): number {
  return Math.ceil(byteLength / limits.stateChunkBytes);
}

function chunkOf(bytes: Uint8Array | undefined, index: number): Uint8Array | undefined {
  const start = index * limits.stateChunkBytes;
  if (bytes === undefined || start >= bytes.byteLength) return undefined;
  return bytes.subarray(start, start + limits.stateChunkBytes);
}

/** The number has a fixed length: no name with a number is another one. */
function chunkKey(property: string, index: number): string {
  return `${CHUNK_PREFIX}${property}\0${String(index).padStart(6, "0")}`;
}

/** True when both hold the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  for (let index = 0; index < a.byteLength; index++) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}
