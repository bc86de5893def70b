/**
 * BodyContent: what the bytes of a request say, for those here who must see it. The bytes themselves stay as they are.
 *
 * A provider may unpack a body, and pass over a mark of its byte order, so both are done here too: what middleware can't see must not be
 * what a provider reads. What is left unread is said to be, and whoever guards a provider may then refuse it.
 */
import { isUtf8 } from "node:buffer";
import { type Packing, packingOf } from "./packing.ts";

/** What was read. */
export interface BodyContent {
  /** What its JSON says; null where it isn't read. */
  readonly content: unknown;
  /** That JSON; undefined where it isn't read. */
  readonly text: () => string | undefined;
  /** False: it is no JSON in UTF-8, is packed in a way that nobody here knows, or is too long when it is unpacked. */
  readonly isRead: boolean;
  /** Of what was read, unpacked. */
  readonly length: number;
}

const BYTE_ORDER_MARK = 0xfeff;

const nothing = () => undefined;

/** What isn't read. */
export const unread = { content: null, text: nothing, isRead: false } as const;

/** Of one that isn't packed, from its text. `again`: that text once more, where nobody holds it meanwhile. */
export function contentOfText(text: string, length: number, again = (): string => text): BodyContent {
  try {
    return {
      content: JSON.parse(withoutMark(text)),
      text: () => withoutMark(again()),
      isRead: true,
      length,
    };
  } catch {
    return { ...unread, length };
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/** Of any. `limit`: unpacked it isn't read past so many bytes. Never throws; at once where there is nothing to unpack. */
export function contentOf(
  body: Buffer,
  encoding: string | undefined,
  limit: number,
): BodyContent | Promise<BodyContent> {
  const packing = packingOf(encoding);
  return packing === undefined ? contentOfPlain(body) : contentOfPacked(body, packing, limit);
}

/** What isn't UTF-8 would be read with another character in the place of each bad byte; a provider may leave them out, and read another word. */
function contentOfPlain(body: Buffer): BodyContent {
  if (!isUtf8(body)) return { ...unread, length: body.length };
  const text = (): string => body.toString("utf8");
  return contentOfText(text(), body.length, text);
}

async function contentOfPacked(
  body: Buffer,
  packing: Packing | "unknown",
  limit: number,
): Promise<BodyContent> {
  const packed = { ...unread, length: body.length };
  if (packing === "unknown") return packed;
  try {
    return contentOfPlain(await packing.unpack(body, { maxOutputLength: limit }));
  } catch {
    // Cut, packed in another way, or a bomb.
    return packed;
  }
}
