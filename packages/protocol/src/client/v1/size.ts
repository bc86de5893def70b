import { writeUtf8 } from "../../values/text.ts";
import type { Message } from "./shape.ts";

/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const MOST_BYTES_PER_UNIT = 3;

/** How many bytes `message` has on the wire when that is more than `limit`; undefined when it fits. */
export function bytesPast(limit: number, message: Message): number | undefined {
  // Counting the bytes of a text means encoding it: only when its length leaves a doubt.
  if (message.length * MOST_BYTES_PER_UNIT <= limit) return undefined;
  const bytes = typeof message === "string" ? encodedLength(message) : message.length;
  return bytes > limit ? bytes : undefined;
}

function encodedLength(text: string): number {
  return writeUtf8(text, new Uint8Array(text.length * MOST_BYTES_PER_UNIT));
}
