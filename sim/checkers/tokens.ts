/**
 * Tokens and marks: what a write is known by.
 *
 * Every operation of a user has a token, `w17`, and each thing that it writes a mark: `w17.`, `w17:out.`, `w17:2.`.
 * Marks are unique in the whole world, end with a full stop so that none begins another, and are ASCII in every
 * encoding: one look at any bytes that leave the server says which writes they tell of. What an operation is given is
 * its token, which is no mark: knowing the name of a write is not knowing that it happened.
 */

const MARK = /w\d+(?::[a-z0-9]+)?\./g;
const ONE_MARK = /^w\d+(?::[a-z0-9]+)?\.$/;
const latin1 = new TextDecoder("latin1");

/** All marks in some bytes, whatever their encoding: marks are ASCII in both. */
export function marksIn(bytes: string | Uint8Array): readonly string[] {
  const text = typeof bytes === "string" ? bytes : latin1.decode(bytes);
  return text.match(MARK) ?? [];
}

/** The mark of a part of an operation, or of all of it. */
export function markOf(token: string, part?: string | number): string {
  return part === undefined ? `${token}.` : `${token}:${part}.`;
}

/** True for marks of operations; the hooks leave others, which may be there many times. */
export function isMark(entry: string): boolean {
  return ONE_MARK.test(entry);
}

/** The token of a mark of this part; `undefined` for every other entry. */
export function tokenWith(entry: string, part: string): string | undefined {
  const end = `:${part}.`;
  return entry.endsWith(end) ? entry.slice(0, -end.length) : undefined;
}
