/**
 * TextEncoder and TextDecoder for a place that has only the language: UTF-8, as the Encoding Standard has it.
 */

/** Up to here room for three bytes a unit is taken, longer texts are measured first. */
const SHORT_TEXT = 1_024;

/** As the platform's. */
export class Utf8Encoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array<ArrayBuffer> {
    if (text.length > SHORT_TEXT) {
      const bytes = new Uint8Array(utf8Length(text));
      write(text, bytes);
      return bytes;
    }
    // At most three bytes for each unit of UTF-16.
    const bytes = new Uint8Array(text.length * 3);
    return bytes.slice(0, write(text, bytes).written);
  }

  encodeInto(text: string, into: Uint8Array): { read: number; written: number } {
    return write(text, into);
  }
}

/** Writes whole characters, as long as there is room. */
function write(text: string, bytes: Uint8Array): { read: number; written: number } {
  let at = 0;
  let index = 0;
  while (index < text.length) {
    const code = scalarAt(text, index);
    if (at + utf8Size(code) > bytes.byteLength) break;
    index += code > 0xffff ? 2 : 1;
    if (code < 0x80) bytes[at++] = code;
    else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      bytes[at++] = 0xe0 | (code >> 12);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else {
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    }
  }
  return { read: index, written: at };
}

function utf8Length(text: string): number {
  let length = 0;
  for (let index = 0; index < text.length; ) {
    const code = scalarAt(text, index);
    length += utf8Size(code);
    index += code > 0xffff ? 2 : 1;
  }
  return length;
}

/** Bytes of a character. */
function utf8Size(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

/** The character at `index`; half of one is the replacement character. */
function scalarAt(text: string, index: number): number {
  const code = text.codePointAt(index) ?? 0;
  return code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
}

/** How a decoder is made. */
export interface Utf8DecoderOptions {
  readonly fatal?: boolean;
  readonly ignoreBOM?: boolean;
}

const REPLACEMENT = 0xfffd;
/** `String.fromCharCode` takes its units as arguments. */
const UNITS_AT_ONCE = 4_096;

/** As the platform's, for whole texts. */
export class Utf8Decoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false }: Utf8DecoderOptions = {}) {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`This decoder knows UTF-8, and not "${label}"`);
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  decode(input?: ArrayBuffer | ArrayBufferView): string {
    const bytes = bytesOf(input);
    const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return this.#read(bytes, marked && !this.ignoreBOM ? 3 : 0);
  }

  #read(bytes: Uint8Array, from: number): string {
    let text = "";
    let units: number[] = [];
    for (let at = from; at < bytes.length; ) {
      const { code, length } = readScalar(bytes, at);
      if (code === undefined && this.fatal) throw new TypeError("The bytes aren't UTF-8");
      const scalar = code ?? REPLACEMENT;
      if (scalar > 0xffff) units.push(0xd7c0 + (scalar >> 10), 0xdc00 | (scalar & 0x3ff));
      else units.push(scalar);
      at += length;
      if (units.length < UNITS_AT_ONCE) continue;
      text += String.fromCharCode(...units);
      units = [];
    }
    return text + String.fromCharCode(...units);
  }
}

/** One character and the bytes that it takes; without a code, the bytes of a fault. */
function readScalar(bytes: Uint8Array, at: number): { code: number | undefined; length: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { code: first, length: 1 };
  const needed = first >= 0xf0 && first <= 0xf4 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4) return { code: undefined, length: 1 };
  let code = first & (0x3f >> needed);
  for (let index = 1; index <= needed; index += 1) {
    const byte = bytes[at + index] ?? 0;
    const [least, most] = index === 1 ? secondRange(first) : [0x80, 0xbf];
    if (byte < least || byte > most) return { code: undefined, length: index };
    code = (code << 6) | (byte & 0x3f);
  }
  return { code, length: needed + 1 };
}

/** Neither overlong forms, nor halves of pairs, nor what is past the last character. */
function secondRange(first: number): readonly [number, number] {
  if (first === 0xe0) return [0xa0, 0xbf];
  if (first === 0xed) return [0x80, 0x9f];
  if (first === 0xf0) return [0x90, 0xbf];
  if (first === 0xf4) return [0x80, 0x8f];
  return [0x80, 0xbf];
}

function bytesOf(input: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  return new Uint8Array(input);
}
