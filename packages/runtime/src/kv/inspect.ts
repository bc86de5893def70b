/** The key-value store as people see it: pages of keys with the beginnings of their values. */
import { bytesToHex, readUtf8 } from "@troupe/protocol";
import type { InspectorSection } from "../ports/inspection.ts";
import { KV_END } from "../ports/storage.ts";
import { endOfPrefix, keyBytesOf, rowKeyOf } from "./kv-key.ts";

/** What is shown of a value. Bytes. */
const PREVIEW_BYTES = 1_024;

/** `GET …/kv?prefix=&after=&limit=`: entries in the order of their keys; `next` where there are more. */
export const kvSection: InspectorSection = {
  name: "kv",
  read: async (rows, { limit, after, prefix = "" }) => {
    const first = rowKeyOf(prefix);
    const start = after === undefined ? first : `${rowKeyOf(bytesOf(after))}\0`;
    const end = prefix === "" ? KV_END : endOfPrefix(first);
    const found = await rows.list({ start, end, limit: limit + 1, reverse: false });
    const entries = found.slice(0, limit).map(({ key, value }) => ({
      key: text(keyBytesOf(key)),
      bytes: value.byteLength,
      value: text(value.subarray(0, PREVIEW_BYTES)),
      cut: value.byteLength > PREVIEW_BYTES,
    }));
    const last = found.length > limit ? found[limit - 1] : undefined;
    return last === undefined ? { entries } : { entries, next: bytesToHex(keyBytesOf(last.key)) };
  },
};

/** Text where it is some, else its bytes in hexadecimal. */
function text(bytes: Uint8Array): { readonly text: string } | { readonly hex: string } {
  try {
    return { text: readUtf8(bytes) };
  } catch {
    return { hex: bytesToHex(bytes) };
  }
}

function bytesOf(cursor: string): Uint8Array {
  return Uint8Array.from(cursor.match(/[0-9a-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));
}
