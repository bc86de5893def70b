/**
 * Values as CBOR (RFC 8949); the tags are in `tags.ts`.
 *
 * Why not cbor-x: its table of extensions is one per process, so a program's own `addExtension` would change what our
 * wire means; it reads shared references, records and packed values that no option turns off; and its output still had
 * to be walked twice for depth, types, `__proto__` and -0. Reading and checking in one pass is also faster.
 */
import { assert, TroupeError } from "@troupe/base";
import { valueErrors } from "../errors.ts";
import { limits } from "../limits.ts";
import { CborReader } from "./cbor-read.ts";
import { CborWriter, TOO_LONG } from "./cbor-write.ts";
import { explain } from "./explain.ts";

/**
 * The CBOR of `value`, in bytes of its own. Throws TroupeErrors of group `value` that name the place, starting from
 * `path` (default "value").
 */
export function encodeCbor(value: unknown, path = "value"): Uint8Array {
  return encodeCborWithin(value, path, limits.valueDepth);
}

/**
 * The same for a value that may have `maxBytes`: of one that has more, how many it has at the least. It is given up before
 * it needs the memory.
 */
export function encodeCborUpTo(value: unknown, path: string, maxBytes: number): Uint8Array | number {
  return encodeCborBounded(value, path, { maxDepth: limits.valueDepth, maxBytes });
}

/**
 * `encodeCborUpTo` for bytes that are passed on and forgotten, as an answer is: they may share their memory with others
 * of this kind, so that nobody may be given their `buffer`.
 */
export function encodeCborToPass(value: unknown, path: string, maxBytes: number): Uint8Array | number {
  return encodeCborBounded(value, path, { maxDepth: limits.valueDepth, maxBytes, shared: true });
}

/** A writer of scratch memory, kept between calls. Taken while in use: a getter may encode a value too. */
let spare: CborWriter | undefined;
const KEPT_BYTES = 256 * 1024;

/** `encodeCbor` with a depth of its own: a frame adds levels around the values of users. */
export function encodeCborWithin(value: unknown, path: string, maxDepth: number): Uint8Array {
  const bytes = encodeCborBounded(value, path, { maxDepth, maxBytes: Infinity });
  assert(typeof bytes !== "number", "nothing is longer than infinity");
  return bytes;
}

/** `encodeCborUpTo` with a depth of its own. */
export function encodeCborBounded(
  value: unknown,
  path: string,
  { maxDepth, maxBytes, shared }: { maxDepth: number; maxBytes: number; shared?: boolean },
): Uint8Array | number {
  const writer = spare ?? new CborWriter();
  spare = undefined;
  try {
    writer.reset(maxDepth, maxBytes);
    writer.value(value, 0);
    return shared === true ? writer.finishShared() : writer.finish();
  } catch (cause) {
    if (cause === TOO_LONG) return writer.least;
    return explain(value, path, { maxDepth, cause });
  } finally {
    if (writer.capacity <= KEPT_BYTES) spare = writer;
  }
}

/** The value of bytes by `encodeCbor`; shares no memory with them. Throws TroupeErrors of group `value` alone. */
export function decodeCbor(bytes: Uint8Array): unknown {
  return decodeCborWithin(bytes, limits.valueDepth);
}

/** `decodeCbor` with a depth of its own. */
export function decodeCborWithin(bytes: Uint8Array, maxDepth: number): unknown {
  try {
    return new CborReader(bytes, maxDepth).whole();
  } catch (error) {
    if (TroupeError.is(error)) throw error;
    // A DataView read past its end.
    throw valueErrors.malformed("it ends too early", error);
  }
}
