import { bytesPast, type Message } from "@troupe/protocol";
import { messageErrors } from "./errors.ts";

/** Throws `message.outgoing_too_long` when `message` has more than `limit` bytes on the wire. */
export function checkSize(message: Message, limit: number): void {
  const bytes = bytesPast(limit, message);
  if (bytes !== undefined) throw messageErrors.outgoingTooLong(bytes, limit);
}
