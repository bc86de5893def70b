/**
 * Payloads: values on their way between a host and code that it carries, in the encoding that the session chose.
 */
import { TroupeError } from "@troupe/base";
import { decodeCbor, encodeCbor } from "../values/cbor.ts";
import { decodeJson } from "../values/json-read.ts";
import { encodeJson } from "../values/json-write.ts";
import { readUtf8, utf8Bytes } from "../values/text.ts";

/** How payloads of a session are written. `raw`: bytes as they are. */
export type PayloadEncoding = "cbor" | "json" | "raw";

/** No value at all: an input or parameters that nobody gave. */
export const NO_PAYLOAD: Uint8Array = new Uint8Array(0);

/**
 * Encodes one value; `undefined` in raw is no bytes. Errors name a place in the value from `root` on. Throws `value.*`,
 * and `payload.not_bytes` in raw.
 */
export function encodePayload(value: unknown, encoding: PayloadEncoding, root = "value"): Uint8Array {
  switch (encoding) {
    case "cbor":
      return encodeCbor(value, root);
    case "json":
      return utf8Bytes(encodeJson(value, root));
    case "raw":
      return rawBytes(value);
  }
}

/** Decodes one value. Throws `value.*`. */
export function decodePayload(bytes: Uint8Array, encoding: PayloadEncoding): unknown {
  switch (encoding) {
    case "cbor":
      return decodeCbor(bytes);
    case "json":
      return decodeJson(decodeText(bytes));
    case "raw":
      // A copy: the bytes are a view of the carrier's own buffer.
      return bytes.slice();
  }
}

/** Encodes arguments. In raw at most one, and it is bytes. */
export function encodeArgs(args: readonly unknown[], encoding: PayloadEncoding): Uint8Array {
  if (encoding !== "raw") return encodePayload(args, encoding, "args");
  if (args.length > 1) throw notBytes("one argument at the most");
  return rawBytes(args[0]);
}

/** Decodes arguments. Throws `value.*`, and `payload.not_a_list` for anything but a list. */
export function decodeArgs(bytes: Uint8Array, encoding: PayloadEncoding): readonly unknown[] {
  const value = decodePayload(bytes, encoding);
  if (encoding === "raw") return [value];
  if (Array.isArray(value)) return value;
  throw new TroupeError("payload", "not_a_list", "Arguments must be a list of values");
}

function rawBytes(value: unknown): Uint8Array {
  if (value === undefined) return NO_PAYLOAD;
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return utf8Bytes(value);
  throw notBytes("a Uint8Array or a string");
}

function notBytes(expected: string): TroupeError {
  return new TroupeError("payload", "not_bytes", `This actor takes and gives raw bytes: ${expected}`);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return readUtf8(bytes);
  } catch (cause) {
    throw new TroupeError("value", "malformed", "The payload isn't UTF-8 text", { cause });
  }
}
