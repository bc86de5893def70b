/**
 * Byte text: text that may have bytes in it which are no UTF-8. Such a byte is a character of its own, U+DC80 to U+DCFF, which no text of UTF-8 has, and
 * is that byte again when the text is written: what Python calls "surrogateescape". just-bash's corrected text calls these functions. Its own
 * bytes are strings, too, with a character from U+0000 to U+00FF for each.
 */

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Above a byte that stands for itself. */
const ESCAPE = 0xdc00;
/** With the flag: half of a pair isn't one. */
const ESCAPED = /([\u{dc80}-\u{dcff}]+)/u;
/** The sequences of UTF-8, by the last of the first bytes that begin them so: how long they are, and between what their second byte is. */
const sequences = [
  { last: 0xdf, length: 2, least: 0x80, most: 0xbf },
  { last: 0xe0, length: 3, least: 0xa0, most: 0xbf },
  { last: 0xec, length: 3, least: 0x80, most: 0xbf },
  { last: 0xed, length: 3, least: 0x80, most: 0x9f },
  { last: 0xef, length: 3, least: 0x80, most: 0xbf },
  { last: 0xf0, length: 4, least: 0x90, most: 0xbf },
  { last: 0xf3, length: 4, least: 0x80, most: 0xbf },
  { last: 0xf4, length: 4, least: 0x80, most: 0x8f },
] as const;

/** The bytes of a text. */
export function encode(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const parts = text
    .split(ESCAPED)
    .map((part, index) => (index % 2 === 0 ? encoder.encode(part) : raw(part)));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** The text of bytes. */
export function decode(content: Uint8Array | string): string {
  const bytes = typeof content === "string" ? raw(content) : content;
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEach(bytes);
  }
}

/** A byte as part of a text: what `\xff` stands for. */
export function byteInText(byte: number): string {
  const low = byte & 0xff;
  return String.fromCharCode(low < 0x80 ? low : ESCAPE + low);
}

/** How many bytes of a string of bytes its first characters take. */
export function bytesOfCharacters(bytes: string, characters: number): number {
  let at = 0;
  for (let left = characters; left > 0 && at < bytes.length; left -= 1) {
    at += 1;
    while (at < bytes.length && isContinuation(bytes.charCodeAt(at))) at += 1;
  }
  return at;
}

/** It isn't the first byte of a character. */
export function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** What others are told: in place of what is no UTF-8 stands U+FFFD. */
export function readable(text: string): string {
  return text.isWellFormed() ? text : new TextDecoder("utf-8", { ignoreBOM: true }).decode(encode(text));
}

/** Where some are no UTF-8. */
function decodeEach(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length);
  let to = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at);
    if (length > 1) for (const unit of unitsOf(bytes, at, length)) units[to++] = unit;
    else units[to++] = byteInText(bytes[at] ?? 0).charCodeAt(0);
    at += length;
  }
  return Buffer.from(units.buffer, 0, to * 2).toString("utf16le");
}

/** How many bytes the character there takes; 1 also where there is none. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0xc2) return 1;
  const sequence = sequences.find(({ last }) => first <= last);
  const second = bytes[at + 1] ?? 0;
  if (sequence === undefined || second < sequence.least || second > sequence.most) return 1;
  for (let next = 2; next < sequence.length; next += 1) if (!isContinuation(bytes[at + next] ?? 0)) return 1;
  return sequence.length;
}

function unitsOf(bytes: Uint8Array, at: number, length: number): number[] {
  let point = (bytes[at] ?? 0) & (0xff >> (length + 1));
  for (let next = 1; next < length; next += 1) point = (point << 6) | ((bytes[at + next] ?? 0) & 0x3f);
  if (point < 0x10000) return [point];
  return [0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff)];
}

function raw(bytes: string): Uint8Array {
  // Of each the lower byte: also of one that stands for itself.
  return Buffer.from(bytes, "latin1");
}
