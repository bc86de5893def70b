/**
 * Tokens: what a write is known by.
 *
 * Every operation of a user has a token, `w17`, and each thing that it writes a mark that begins with it: `w17`,
 * `w17:out`, `w17:2`. Marks are unique in the whole world, are never written in pieces, and can be found in any bytes
 * that leave the server, so that one look at a message says which writes it tells of.
 */

const MARK = /w\d+(?::[a-z0-9]+)?/g;
const latin1 = new TextDecoder("latin1");

/** All marks in some bytes, whatever their encoding: marks are ASCII in both. */
export function marksIn(bytes: string | Uint8Array): readonly string[] {
  const text = typeof bytes === "string" ? bytes : latin1.decode(bytes);
  return text.match(MARK) ?? [];
}

/** The token of a mark. */
export function tokenOf(mark: string): string {
  const colon = mark.indexOf(":");
  return colon === -1 ? mark : mark.slice(0, colon);
}
