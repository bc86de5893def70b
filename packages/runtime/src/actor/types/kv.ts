/**
 * `c.kv`: keys and values on disk. The names and shapes are RivetKit's documented ones.
 */

/** Values and keys by the name of their type. */
export interface KvTypes {
  readonly text: string;
  readonly binary: Uint8Array;
  readonly arrayBuffer: ArrayBuffer;
}

/** What a value is read as. */
export type KvValueType = keyof KvTypes;

/** What a key is read as. */
export type KvKeyType = "text" | "binary";

/** A key: text is its UTF-8 bytes. */
export type KvKey = string | Uint8Array;

/** A value: text is its UTF-8 bytes. */
export type KvValue = string | Uint8Array | ArrayBuffer;

/** How a value is read. */
export interface KvValueOptions<V extends KvValueType = "text"> {
  /** Default: `text`. What was put isn't remembered: bytes are read with `binary`. */
  readonly type?: V;
}

/** How a list is read. */
export interface KvListOptions<V extends KvValueType = "text", K extends KvKeyType = "text">
  extends KvValueOptions<V> {
  /** Default: `text`. */
  readonly keyType?: K;
  /** From the last key down. Default: false. */
  readonly reverse?: boolean;
  /** Entries at most. Without it a list of more than 16,384 is refused. */
  readonly limit?: number;
}

/**
 * Keys and values of one actor, in the order of their keys' bytes. What a turn writes here is stored together with its
 * state; reads see what was written before them, stored or not. Methods reject with `kv.*`, and with `actor.stopped` when
 * the activation has ended.
 */
export interface ActorKv {
  get<V extends KvValueType = "text">(key: KvKey, options?: KvValueOptions<V>): Promise<KvTypes[V] | null>;
  put<V extends KvValueType = "text">(key: KvKey, value: KvValue, options?: KvValueOptions<V>): Promise<void>;
  delete(key: KvKey): Promise<void>;
  /** Bytes, in the order of `keys`. */
  batchGet(keys: readonly KvKey[]): Promise<(Uint8Array | null)[]>;
  batchPut(entries: readonly (readonly [key: KvKey, value: KvValue])[]): Promise<void>;
  batchDelete(keys: readonly KvKey[]): Promise<void>;
  /**
   * Deletes keys from `start` (with it) to `end` (without it). Await it before you put a key of that range: an actor whose
   * disk is elsewhere deletes what is there when the promise settles.
   */
  deleteRange(start: KvKey, end: KvKey): Promise<void>;
  /** Entries whose keys begin with `prefix`. Keys are whole. */
  listPrefix<V extends KvValueType = "text", K extends KvKeyType = "text">(
    prefix: KvKey,
    options?: KvListOptions<V, K>,
  ): Promise<[KvTypes[K], KvTypes[V]][]>;
  /** Entries from `start` (with it) to `end` (without it). */
  listRange<V extends KvValueType = "text", K extends KvKeyType = "text">(
    start: KvKey,
    end: KvKey,
    options?: KvListOptions<V, K>,
  ): Promise<[KvTypes[K], KvTypes[V]][]>;
  /** As `listPrefix`. */
  list<V extends KvValueType = "text", K extends KvKeyType = "text">(
    prefix: KvKey,
    options?: KvListOptions<V, K>,
  ): Promise<[KvTypes[K], KvTypes[V]][]>;
}
