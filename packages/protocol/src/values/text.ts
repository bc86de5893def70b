/**
 * UTF-8, by the platform. The classes are in every runtime, but their types come with the DOM's, which this package
 * does without so that it can't reach for a timer.
 */
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, target: Uint8Array): { readonly read: number; readonly written: number };
}

declare class TextDecoder {
  constructor(label: string, options: { readonly fatal: boolean; readonly ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const document = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Texts up to this length are coded here when they are ASCII: the call into the platform costs more than their letters. */
const SHORT_TEXT = 24;

/** The UTF-8 bytes of `text`. */
export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > SHORT_TEXT) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) return encoder.encode(text);
    bytes[at] = code;
  }
  return bytes;
}

/** Writes `text` into `target`, which has room for three bytes per unit, and returns the bytes written. */
export function writeUtf8(text: string, target: Uint8Array): number {
  return encoder.encodeInto(text, target).written;
}

/** Writes as much of `text` as `target` has room for: the units that were read, and the bytes written. */
export function writeUtf8Part(
  text: string,
  target: Uint8Array,
): { readonly read: number; readonly written: number } {
  return encoder.encodeInto(text, target);
}

/** The text of UTF-8 bytes; a byte order mark stays. Throws a TypeError when they aren't UTF-8. */
export function readUtf8(bytes: Uint8Array): string {
  const short = bytes.length <= SHORT_TEXT ? shortAscii(bytes, 0, bytes.length) : undefined;
  return short ?? strict.decode(bytes);
}

/** The same; what isn't UTF-8 becomes replacement characters. */
export function readLenientUtf8(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

/** The text of a document: a byte order mark in front is dropped. Throws a TypeError when it isn't UTF-8. */
export function readDocument(bytes: Uint8Array): string {
  return document.decode(bytes);
}

/** The text of ASCII bytes; undefined when one isn't ASCII. Four at a time: each `+` makes a string. */
export function shortAscii(data: Uint8Array, start: number, length: number): string | undefined {
  const end = start + length;
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const a = data[at] ?? 128;
    const b = data[at + 1] ?? 128;
    const c = data[at + 2] ?? 128;
    const d = data[at + 3] ?? 128;
    if ((a | b | c | d) > 127) return undefined;
    text += String.fromCharCode(a, b, c, d);
  }
  for (; at < end; at++) {
    const code = data[at] ?? 128;
    if (code > 127) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}
