/**
 * Base64 (RFC 4648, with padding), because neither Buffer nor Uint8Array.fromBase64 is everywhere that this runs, and
 * btoa and atob go through a string of one character per byte.
 */
import { readUtf8 } from "./text.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CODES = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
const PADDING = 61;
const NONE = 255;
const VALUES = new Uint8Array(128).fill(NONE);
for (const [value, code] of CODES.entries()) VALUES[code] = value;

/** The base64 of `bytes`. */
export function toBase64(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  const whole = bytes.length - (bytes.length % 3);
  let to = 0;
  for (let from = 0; from < whole; from += 3) {
    const group = (at(bytes, from) << 16) | (at(bytes, from + 1) << 8) | at(bytes, from + 2);
    out[to++] = at(CODES, group >> 18);
    out[to++] = at(CODES, (group >> 12) & 63);
    out[to++] = at(CODES, (group >> 6) & 63);
    out[to++] = at(CODES, group & 63);
  }
  if (whole < bytes.length) {
    const two = whole + 1 < bytes.length;
    const group = (at(bytes, whole) << 16) | (two ? at(bytes, whole + 1) << 8 : 0);
    out[to++] = at(CODES, group >> 18);
    out[to++] = at(CODES, (group >> 12) & 63);
    out[to++] = two ? at(CODES, (group >> 6) & 63) : PADDING;
    out[to++] = PADDING;
  }
  return readUtf8(out);
}

/** The bytes of a text by `toBase64`; undefined for any other text. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const letters = text.length - padding;
  const out = new Uint8Array(Math.floor((letters * 3) / 4));
  let to = 0;
  for (let from = 0; from < letters; from += 4) {
    const a = value(text, from);
    const b = value(text, from + 1);
    const c = from + 2 < letters ? value(text, from + 2) : 0;
    const d = from + 3 < letters ? value(text, from + 3) : 0;
    if ((a | b | c | d) > 63) return undefined;
    const group = (a << 18) | (b << 12) | (c << 6) | d;
    // Writes past the end of a typed array are ignored: the last group may be a partial one.
    out[to++] = group >> 16;
    out[to++] = (group >> 8) & 255;
    out[to++] = group & 255;
  }
  return out;
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function value(text: string, index: number): number {
  return VALUES[text.charCodeAt(index)] ?? NONE;
}
