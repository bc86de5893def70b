import type { Message } from "@troupe/protocol";
import { messageErrors } from "./errors.ts";

/** A UTF-16 unit takes at most this many bytes of UTF-8. */
const MOST_BYTES_PER_UNIT = 3;

/** Throws `message.outgoing_too_long` when `message` has more than `limit` bytes on the wire. */
export function checkSize(message: Message, limit: number): void {
  // Counting the bytes of a text means encoding it: only when its length leaves a doubt.
  if (message.length * MOST_BYTES_PER_UNIT <= limit) return;
  const bytes = typeof message === "string" ? new TextEncoder().encode(message).length : message.length;
  if (bytes > limit) throw messageErrors.outgoingTooLong(bytes, limit);
}
