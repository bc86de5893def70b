/** `c.kv`: checks what it is given, and turns keys and values into rows and back. */
import { limits, readUtf8, utf8Bytes } from "@troupe/protocol";
import { kvErrors } from "../../kv/errors.ts";
import type { Kv } from "../../kv/kv.ts";
import { endOfPrefix, keyBytesOf, rowKeyOf } from "../../kv/kv-key.ts";
import { type Observer, observed } from "../../ports/observed.ts";
import { KV_PREFIX, type Row, type RowChange, type RowRange } from "../../ports/storage.ts";
import type {
  ActorKv,
  KvKey,
  KvKeyType,
  KvListOptions,
  KvTypes,
  KvValue,
  KvValueOptions,
  KvValueType,
} from "../types/kv.ts";

/** `c.kv` of one activation. What it does is done when its methods return; the promises only say how it went. */
export class KvApi implements ActorKv {
  readonly #kv: Kv;
  readonly #owner: Observer;

  constructor(owner: Observer & { readonly kv: Kv }) {
    this.#owner = owner;
    this.#kv = owner.kv;
  }

  get<V extends KvValueType = "text">(
    key: KvKey,
    options: KvValueOptions<V> = {},
  ): Promise<KvTypes[V] | null> {
    return this.#done(async () => {
      const read = valueReader(options.type);
      const [value] = await this.#kv.get([rowKeyOf(key)]);
      return value === undefined ? null : read(value);
    });
  }

  put(key: KvKey, value: KvValue): Promise<void> {
    return this.#done(async () => this.#kv.write([{ key: rowKeyOf(key), value: valueBytes(value) }]));
  }

  delete(key: KvKey): Promise<void> {
    return this.#done(async () => this.#kv.write([{ key: rowKeyOf(key), value: null }]));
  }

  batchGet(keys: readonly KvKey[]): Promise<(Uint8Array | null)[]> {
    return this.#done(async () => {
      checkEntries(keys.length);
      const values = await this.#kv.get(keys.map(rowKeyOf));
      return values.map((value) => value ?? null);
    });
  }

  batchPut(entries: readonly (readonly [key: KvKey, value: KvValue])[]): Promise<void> {
    return this.#done(async () => {
      checkEntries(entries.length);
      const changes = entries.map(([key, value]) => ({ key: rowKeyOf(key), value: valueBytes(value) }));
      checkBytes(changes);
      this.#kv.write(changes);
    });
  }

  batchDelete(keys: readonly KvKey[]): Promise<void> {
    return this.#done(async () => {
      checkEntries(keys.length);
      this.#kv.write(keys.map((key) => ({ key: rowKeyOf(key), value: null })));
    });
  }

  deleteRange(start: KvKey, end: KvKey): Promise<void> {
    return this.#done(async () => this.#kv.deleteRange(rowKeyOf(start), rowKeyOf(end)));
  }

  listPrefix<V extends KvValueType = "text", K extends KvKeyType = "text">(
    prefix: KvKey,
    options?: KvListOptions<V, K>,
  ): Promise<[KvTypes[K], KvTypes[V]][]> {
    return this.#done(async () => {
      const start = rowKeyOf(prefix);
      return await this.#list({ start, end: endOfPrefix(start) }, options);
    });
  }

  listRange<V extends KvValueType = "text", K extends KvKeyType = "text">(
    start: KvKey,
    end: KvKey,
    options?: KvListOptions<V, K>,
  ): Promise<[KvTypes[K], KvTypes[V]][]> {
    return this.#done(async () => await this.#list({ start: rowKeyOf(start), end: rowKeyOf(end) }, options));
  }

  list<V extends KvValueType = "text", K extends KvKeyType = "text">(
    prefix: KvKey,
    options?: KvListOptions<V, K>,
  ): Promise<[KvTypes[K], KvTypes[V]][]> {
    return this.listPrefix(prefix, options);
  }

  /** Runs the first part of `work` now, and makes a promise that nobody has to await. */
  #done<R>(work: () => Promise<R>): Promise<R> {
    return observed(work(), this.#owner, "c.kv");
  }

  async #list<V extends KvValueType, K extends KvKeyType>(
    range: Pick<RowRange, "start" | "end">,
    options: KvListOptions<V, K> = {},
  ): Promise<[KvTypes[K], KvTypes[V]][]> {
    const { limit = Infinity, reverse = false } = options;
    if (limit !== Infinity && !(Number.isInteger(limit) && limit >= 0)) {
      throw kvErrors.invalidOption("limit", "a whole number, 0 or more");
    }
    const readKey = valueReader(options.keyType);
    const readValue = valueReader(options.type);
    const rows = await this.#kv.list({ ...range, limit, reverse });
    return rows.map(({ key, value }: Row) => [readKey(keyBytesOf(key)), readValue(value)]);
  }
}

const readers: { readonly [T in KvValueType]: (bytes: Uint8Array) => KvTypes[T] } = {
  text: (bytes) => {
    try {
      return readUtf8(bytes);
    } catch {
      throw kvErrors.notText();
    }
  },
  binary: (bytes) => bytes,
  arrayBuffer: (bytes) => new Uint8Array(bytes).buffer,
};

function valueReader<V extends KvValueType>(type: V | undefined): (bytes: Uint8Array) => KvTypes[V] {
  const name = type ?? "text";
  if (!Object.hasOwn(readers, name))
    throw kvErrors.invalidOption("type", '"text", "binary" or "arrayBuffer"');
  return readers[name as V];
}

/** A copy: what the caller does with its bytes later is its own business. */
function valueBytes(value: unknown): Uint8Array {
  const bytes = copyOf(value);
  if (bytes.byteLength > limits.kvValueBytes) {
    throw kvErrors.valueTooLarge(bytes.byteLength, limits.kvValueBytes);
  }
  return bytes;
}

function copyOf(value: unknown): Uint8Array {
  if (typeof value === "string" && value.isWellFormed()) return utf8Bytes(value);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  throw kvErrors.invalidValue();
}

function checkEntries(count: number): void {
  if (count > limits.kvBatchEntries) throw kvErrors.batchTooLarge("entries", count, limits.kvBatchEntries);
}

function checkBytes(changes: readonly RowChange[]): void {
  let bytes = 0;
  for (const { key, value } of changes) bytes += key.length - KV_PREFIX.length + (value?.byteLength ?? 0);
  if (bytes > limits.kvBatchBytes) throw kvErrors.batchTooLarge("bytes", bytes, limits.kvBatchBytes);
}
