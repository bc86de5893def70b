import { valueErrors } from "../errors.ts";
import { limits } from "../limits.ts";
import { bigintOfBytes } from "./bigint.ts";
import { errorOf } from "./error-value.ts";
import { renderPath, type Step } from "./path.ts";
import { tags } from "./tags.ts";
import { readUtf8, shortAscii } from "./text.ts";
import { viewTypeByTag } from "./views.ts";

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;

/** Texts up to this length are read here when they are ASCII: the call into the platform costs more. */
const SHORT_TEXT = 24;

/**
 * Reads one value of CBOR.
 *
 * Nothing is allocated on the word of a length: each is first held against the bytes that are left (every element has
 * one at least) and the budget of entries. Indefinite lengths are refused; our writers never need them.
 */
export class CborReader {
  private readonly data: Uint8Array;
  private readonly end: number;
  private lazyView: DataView | undefined;
  private at = 0;
  private left: number = limits.valueEntries;
  private readonly maxDepth: number;
  /** The way to where the reader is: the step taken at each level. */
  private readonly steps: Step[] = [];

  constructor(data: Uint8Array, maxDepth: number) {
    this.data = data;
    this.end = data.length;
    this.maxDepth = maxDepth;
  }

  /** The whole input as one value. Throws TroupeErrors of group `value`, and RangeErrors where the input ends early. */
  whole(): unknown {
    const value = this.value(0);
    if (this.at !== this.end) throw valueErrors.malformed("there is more behind the value");
    return value;
  }

  private value(level: number): unknown {
    const initial = this.byte();
    const info = initial & 31;
    switch (initial >> 5) {
      case UNSIGNED:
        return info < 24 ? info : this.integer(info, false);
      case NEGATIVE:
        return info < 24 ? -1 - info : this.integer(info, true);
      case BYTES:
        return new Uint8Array(this.bytes(this.argument(info)));
      case TEXT:
        return this.text(this.argument(info));
      case ARRAY:
        return this.array(this.argument(info), level);
      case MAP:
        return this.record(this.argument(info), level);
      case TAG:
        return this.tagged(this.argument(info), level);
      default:
        return this.simple(info);
    }
  }

  private array(length: number, level: number): unknown[] {
    this.enter(length, level);
    const result: unknown[] = [];
    for (let index = 0; index < length; index++) {
      this.steps[level] = index;
      result.push(this.value(level + 1));
    }
    return result;
  }

  private record(size: number, level: number): Record<string, unknown> {
    this.enter(size, level);
    this.fits(size * 2);
    const result: Record<string, unknown> = {};
    for (let index = 0; index < size; index++) {
      const key = this.key();
      if (key === "__proto__") throw valueErrors.forbiddenKey(this.path(level), key);
      this.steps[level] = key;
      result[key] = this.value(level + 1);
    }
    return result;
  }

  private key(): string {
    const initial = this.byte();
    if (initial >> 5 === TEXT) {
      const length = this.argument(initial & 31);
      this.fits(length);
      const known = length <= SHORT_TEXT ? shortKey(this.data, this.at, length) : undefined;
      if (known === undefined) return this.text(length);
      this.at += length;
      return known;
    }
    if (initial >> 5 === TAG && this.argument(initial & 31) === tags.utf16) return this.utf16();
    throw valueErrors.malformed("the key of an object isn't a text");
  }

  private map(level: number): Map<unknown, unknown> {
    const size = this.expect(MAP, "a Map");
    this.enter(size * 2, level);
    const result = new Map<unknown, unknown>();
    for (let index = 0; index < size; index++) {
      this.steps[level] = index;
      const key = this.value(level + 1);
      result.set(key, this.value(level + 1));
    }
    return result;
  }

  private tagged(tag: number, level: number): unknown {
    switch (tag) {
      case tags.epochTime:
        return new Date(Math.round(this.plainNumber() * 1000));
      case tags.epochMs:
        return new Date(this.plainNumber());
      case tags.bignum:
        return this.bigint();
      case tags.negativeBignum:
        return -1n - this.bigint();
      case tags.set:
        return new Set(this.array(this.expect(ARRAY, "a Set"), level));
      case tags.map:
        return this.map(level);
      case tags.regexp:
        return this.regexp();
      case tags.error:
        return this.error(level);
      case tags.arrayBuffer:
        return this.byteString().buffer;
      case tags.uint8:
        return this.byteString();
      case tags.utf16:
        return this.utf16();
      default:
        return this.typedArray(tag);
    }
  }

  private error(level: number): Error {
    const error = errorOf(this.record(this.expect(MAP, "an Error"), level));
    if (error === undefined) throw valueErrors.malformed("an Error without what an error has");
    return error;
  }

  private regexp(): RegExp {
    const length = this.expect(ARRAY, "a RegExp");
    if (length < 1 || length > 2) throw valueErrors.malformed("a RegExp isn't a source and flags");
    const source = this.text(this.expect(TEXT, "a RegExp's source"));
    const flags = length === 2 ? this.text(this.expect(TEXT, "a RegExp's flags")) : "";
    try {
      return new RegExp(source, flags);
    } catch (cause) {
      throw valueErrors.malformed("an invalid RegExp", cause);
    }
  }

  private bigint(): bigint {
    const value = bigintOfBytes(this.bytes(this.expect(BYTES, "a bigint")));
    if (value === undefined)
      throw valueErrors.malformed(`a bigint has more than ${limits.bigintBytes} bytes`);
    return value;
  }

  private typedArray(tag: number): ArrayBufferView {
    const type = viewTypeByTag(tag);
    if (type === undefined) throw valueErrors.malformed(`tag ${tag} isn't one of ours`);
    const bytes = this.byteString();
    if (bytes.length % type.elementBytes !== 0)
      throw valueErrors.malformed(`a ${type.name} of a broken length`);
    return type.make(bytes.buffer);
  }

  private simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 23:
        return undefined;
      case 25:
        return halfFloat(this.view.getUint16(this.skip(2)));
      case 26:
        return this.view.getFloat32(this.skip(4));
      case 27:
        return this.view.getFloat64(this.skip(8));
      default:
        throw valueErrors.malformed(`simple value ${info} isn't one of ours`);
    }
  }

  private plainNumber(): number {
    const initial = this.byte();
    const major = initial >> 5;
    const info = initial & 31;
    const value = major <= NEGATIVE ? this.integer(info, major === NEGATIVE) : this.simple(info);
    if ((major > NEGATIVE && major !== SIMPLE) || typeof value !== "number") {
      throw valueErrors.malformed("a Date isn't a number");
    }
    return value;
  }

  private byteString(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes(this.expect(BYTES, "binary data")));
  }

  /** The next `length` bytes, not copied. */
  private bytes(length: number): Uint8Array {
    this.fits(length);
    const start = this.skip(length);
    return this.data.subarray(start, start + length);
  }

  private text(length: number): string {
    this.fits(length);
    const start = this.skip(length);
    if (length <= SHORT_TEXT) {
      const text = shortAscii(this.data, start, length);
      if (text !== undefined) return text;
    }
    try {
      return readUtf8(this.data.subarray(start, start + length));
    } catch (cause) {
      throw valueErrors.malformed("a text isn't UTF-8", cause);
    }
  }

  private utf16(): string {
    const bytes = this.byteString();
    if (bytes.length % 2 !== 0) throw valueErrors.malformed("half a character");
    const units = new DataView(bytes.buffer);
    let text = "";
    for (let at = 0; at < bytes.length; at += 2) text += String.fromCharCode(units.getUint16(at, true));
    return text;
  }

  /** The argument of an item that must come next, of type `major`. */
  private expect(major: number, what: string): number {
    const initial = this.byte();
    if (initial >> 5 !== major) throw valueErrors.malformed(`${what} isn't encoded as one`);
    return this.argument(initial & 31);
  }

  private argument(info: number): number {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.byte();
      case 25:
        return this.view.getUint16(this.skip(2));
      case 26:
        return this.view.getUint32(this.skip(4));
      case 27: {
        const at = this.skip(8);
        return this.view.getUint32(at) * 0x1_0000_0000 + this.view.getUint32(at + 4);
      }
      default:
        throw valueErrors.malformed("an indefinite or reserved length");
    }
  }

  /** Our own writers give bigints a tag; an integer that no number can hold came from another language. */
  private integer(info: number, negative: boolean): number | bigint {
    const at = this.at;
    const argument = this.argument(info);
    if (argument < Number.MAX_SAFE_INTEGER || (argument === Number.MAX_SAFE_INTEGER && !negative)) {
      return negative ? -1 - argument : argument;
    }
    const exact = this.view.getBigUint64(at);
    return negative ? -1n - exact : exact;
  }

  /** Made when a number needs it: most messages have none that does. */
  private get view(): DataView {
    const { buffer, byteOffset, byteLength } = this.data;
    this.lazyView ??= new DataView(buffer, byteOffset, byteLength);
    return this.lazyView;
  }

  private byte(): number {
    const byte = this.data[this.at++];
    if (byte === undefined) throw valueErrors.malformed("it ends too early");
    return byte;
  }

  private skip(bytes: number): number {
    const start = this.at;
    this.at += bytes;
    return start;
  }

  /** Refuses what needs more bytes than there are. */
  private fits(bytes: number): void {
    if (bytes > this.end - this.at) throw valueErrors.malformed("it ends too early");
  }

  private enter(entries: number, level: number): void {
    if (level >= this.maxDepth) throw valueErrors.tooDeep(this.path(level), limits.valueDepth);
    this.fits(entries);
    this.left -= entries;
    if (this.left < 0) throw valueErrors.tooManyEntries(this.path(level), limits.valueEntries);
  }

  private path(level: number): string {
    return renderPath("", this.steps.slice(0, level));
  }
}

/**
 * The keys read last, by a hash of their bytes. Messages repeat few keys, and a string that is a key already costs no
 * look-up in the engine's own table. A plain cache: what is in it changes the speed and nothing else.
 */
const KNOWN_KEYS: (string | undefined)[] = new Array(1024).fill(undefined);

function shortKey(data: Uint8Array, start: number, length: number): string | undefined {
  let hash = length;
  for (let at = start; at < start + length; at++) hash = (Math.imul(hash, 31) + (data[at] ?? 0)) | 0;
  const slot = hash & 1023;
  const known = KNOWN_KEYS[slot];
  if (known !== undefined && isTextOf(known, data, start, length)) return known;
  const key = shortAscii(data, start, length);
  KNOWN_KEYS[slot] = key;
  return key;
}

function isTextOf(text: string, data: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) !== data[start + index]) return false;
  }
  return true;
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
