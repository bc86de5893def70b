/**
 * Keys of the key-value store, as users have them and as rows do: behind the prefix each byte of the user's key is one
 * character from U+0000 to U+00FF. Characters sort as the bytes do, in memory and in SQLite.
 */
import { limits, utf8Bytes } from "@troupe/protocol";
import { KV_END, KV_PREFIX } from "../ports/storage.ts";
import { kvErrors } from "./errors.ts";

const ASCII = /^[\0-\x7f]*$/;

/** The key of a row. Throws `kv.invalid_key`, `kv.key_too_long`. */
export function rowKeyOf(key: unknown): string {
  const text = KV_PREFIX + characters(key);
  const bytes = text.length - KV_PREFIX.length;
  if (bytes > limits.kvKeyBytes) throw kvErrors.keyTooLong(bytes, limits.kvKeyBytes);
  return text;
}

/** The end of a range: a key, or what comes right behind one. Throws `kv.key_too_long`. */
export function rowBoundOf(bytes: Uint8Array): string {
  const key = rowKeyOf(bytes.subarray(0, limits.kvKeyBytes));
  const more = bytes.subarray(limits.kvKeyBytes);
  if (more.byteLength > 1) throw kvErrors.keyTooLong(bytes.byteLength, limits.kvKeyBytes);
  return key + String.fromCharCode(...more);
}

/** The bytes of a user's key. */
export function keyBytesOf(rowKey: string): Uint8Array {
  const bytes = new Uint8Array(rowKey.length - KV_PREFIX.length);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = rowKey.charCodeAt(index + KV_PREFIX.length);
  }
  return bytes;
}

/** Behind every key that begins with this one. */
export function endOfPrefix(rowKey: string): string {
  let last = rowKey.length - 1;
  while (last >= KV_PREFIX.length && rowKey.charCodeAt(last) === 0xff) last -= 1;
  if (last < KV_PREFIX.length) return KV_END;
  return rowKey.slice(0, last) + String.fromCharCode(rowKey.charCodeAt(last) + 1);
}

function characters(key: unknown): string {
  if (key instanceof Uint8Array) return charactersOf(key);
  if (typeof key !== "string") throw kvErrors.invalidKey("a string or a Uint8Array");
  if (ASCII.test(key)) return key;
  // Halves of characters have no UTF-8: two keys would become one.
  if (!key.isWellFormed()) throw kvErrors.invalidKey("a string of whole characters");
  return charactersOf(utf8Bytes(key));
}

function charactersOf(bytes: Uint8Array): string {
  // Refused by `rowKeyOf`; here so that nothing is built of megabytes.
  if (bytes.byteLength > limits.kvKeyBytes) throw kvErrors.keyTooLong(bytes.byteLength, limits.kvKeyBytes);
  return String.fromCharCode(...bytes);
}
