/**
 * A text message of a server as one WebSocket frame (RFC 6455, 5.2: final, unmasked), in one piece.
 *
 * The sender of `ws` writes a frame's head and its payload one after the other, and the socket hands both to the system
 * as a vector. With many clients each answer is a write of its own, and a twentieth of an action's CPU went into that.
 */
const FINAL_TEXT = 0x81;
/** The length stands in the two bytes behind. */
const LENGTH_16 = 126;

/** Bytes of the longest payload that is framed here; longer ones are for the sender of `ws`. */
export const MAX_FRAME_PAYLOAD = 0xffff;

/** The frame of `text`. Undefined when its payload is longer than MAX_FRAME_PAYLOAD. */
export function textFrame(text: string): Buffer | undefined {
  const bytes = text.length > MAX_FRAME_PAYLOAD ? Number.POSITIVE_INFINITY : Buffer.byteLength(text);
  if (bytes > MAX_FRAME_PAYLOAD) return undefined;
  const head = bytes < LENGTH_16 ? 2 : 4;
  const frame = Buffer.allocUnsafe(head + bytes);
  frame[0] = FINAL_TEXT;
  frame[1] = head === 2 ? bytes : LENGTH_16;
  if (head === 4) frame.writeUInt16BE(bytes, 2);
  frame.write(text, head, "utf8");
  return frame;
}
