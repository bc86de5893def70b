/**
 * One text for one address: how drivers find an actor by its key, and which shard it lives in.
 *
 * A key's text is its JSON: no two keys share one (`["a,b"]` and `["a","b"]` differ, lone surrogates and NUL are
 * escaped), it is readable in the file, and it parses back. The shard hash is on disk for good: never change it.
 */
import type { ActorAddress } from "../ports/directory.ts";

/** The text of a key. */
export function encodeKey(key: readonly string[]): string {
  return JSON.stringify(key);
}

/** The key of a text; throws for what `encodeKey` can't have made. */
export function decodeKey(text: string): readonly string[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value) || !value.every((part) => typeof part === "string")) {
    throw new SyntaxError(`not a key: ${text}`);
  }
  return value;
}

/** One text for namespace, name and key together, as maps need it. */
export function addressText(address: ActorAddress, keyText: string = encodeKey(address.key)): string {
  return `${address.namespace}\u0000${address.name}\u0000${keyText}`;
}

/** A stable number in [0, 2^32): FNV-1a over the UTF-16 code units, then a mix so that low bits differ too. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
