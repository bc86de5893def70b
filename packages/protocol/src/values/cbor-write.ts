import { limits } from "../limits.ts";
import { bytesOfBigint, isBigintInLimit } from "./bigint.ts";
import { errorParts } from "./error-value.ts";
import { REFUSED } from "./explain.ts";
import { hasSymbols, kindOf } from "./kind.ts";
import { unwrap } from "./raw.ts";
import { tags } from "./tags.ts";
import { writeUtf8, writeUtf8Part } from "./text.ts";
import { bytesOf, viewType } from "./views.ts";

/** CBOR's major types, in the place that they have in an initial byte. */
const UNSIGNED = 0x00;
const NEGATIVE = 0x20;
const BYTES = 0x40;
const TEXT = 0x60;
const ARRAY = 0x80;
const MAP = 0xa0;
const TAG = 0xc0;

const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const UNDEFINED = 0xf7;
const HALF = 0xf9;
const SINGLE = 0xfa;
const DOUBLE = 0xfb;

/** Texts up to this length are written here: the call into the platform costs more than their letters. */
const SHORT_TEXT = 48;
/** Longer texts have a head of five bytes whatever their letters are, and are worth looking at twice. */
const HUGE_TEXT = 0xffff;
/** What the writer throws past its longest length: then `least` says how long the value is at the least. */
export const TOO_LONG = new Error("too long");

/** Memory that short copies share; one that is kept keeps all of it. */
const SHARED_BYTES = 4 * 1024;
const NOTHING = new Uint8Array(0);

/** Initial byte and the longest argument. */
const HEAD = 9;
/** Up to here `Math.round(ms / 1000 * 1000)` is `ms`: two roundings of 2^-53 each stay below one half. */
const EXACT_SECONDS_MS = 2 ** 51;

/**
 * Writes values as CBOR (RFC 8949), each in its shortest form, definite lengths only.
 *
 * Throws whatever it meets (`REFUSED`, a getter's error, `TOO_LONG`): `cbor.ts` explains. The writer is then in the middle
 * of a value and must be `reset`.
 */
export class CborWriter {
  private buffer = new Uint8Array(1024);
  private view = new DataView(this.buffer.buffer);
  private length = 0;
  private left = 0;
  private maxDepth = 0;
  private maxBytes = Infinity;
  private shared = NOTHING;
  private sharedAt = SHARED_BYTES;

  /** Starts anew. A value that is longer than `maxBytes` is given up when more memory than that would be needed. */
  reset(maxDepth: number, maxBytes = Infinity): void {
    this.length = 0;
    this.left = limits.valueEntries;
    this.maxDepth = maxDepth;
    this.maxBytes = maxBytes;
  }

  /** Bytes that the value has at the least, once `TOO_LONG` was thrown. */
  get least(): number {
    return this.length;
  }

  /** What was written, copied. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  /** The same; what is short shares its memory with other such copies, which is several times as fast to get. */
  finishShared(): Uint8Array {
    const { length } = this;
    if (length > SHARED_BYTES / 8) return this.finish();
    if (this.sharedAt + length > SHARED_BYTES) {
      this.shared = new Uint8Array(SHARED_BYTES);
      this.sharedAt = 0;
    }
    const copy = this.shared.subarray(this.sharedAt, this.sharedAt + length);
    copy.set(this.buffer.subarray(0, length));
    this.sharedAt += length;
    return copy;
  }

  /** The bytes of memory that the writer holds. */
  get capacity(): number {
    return this.buffer.length;
  }

  value(value: unknown, level: number): void {
    switch (typeof value) {
      case "string":
        this.text(value);
        break;
      case "number":
        this.number(value);
        break;
      case "boolean":
        this.byte(value ? TRUE : FALSE);
        break;
      case "undefined":
        this.byte(UNDEFINED);
        break;
      case "bigint":
        this.bigint(value);
        break;
      case "object":
        if (value === null) this.byte(NULL);
        else this.object(unwrap(value), level);
        break;
      default:
        throw REFUSED;
    }
  }

  private object(value: object, level: number): void {
    switch (kindOf(value)) {
      case "array":
        this.array(value as readonly unknown[], level);
        break;
      case "object":
        this.record(value as Record<string, unknown>, level);
        break;
      case "map":
        this.map(value as Map<unknown, unknown>, level);
        break;
      case "set":
        this.head(TAG, tags.set);
        this.array([...(value as Set<unknown>)], level);
        break;
      case "error":
        this.head(TAG, tags.error);
        this.record(errorParts(value as Error), level);
        break;
      case "date":
        this.date(Date.prototype.getTime.call(value));
        break;
      case "regexp":
        this.head(TAG, tags.regexp);
        this.head(ARRAY, 2);
        this.text((value as RegExp).source);
        this.text((value as RegExp).flags);
        break;
      case "buffer":
        this.head(TAG, tags.arrayBuffer);
        this.bytes(new Uint8Array(value as ArrayBuffer));
        break;
      case "view":
        this.viewBytes(value as ArrayBufferView);
        break;
      case "unsupported":
        throw REFUSED;
    }
  }

  private enter(entries: number, level: number): void {
    if (level >= this.maxDepth) throw REFUSED;
    this.left -= entries;
    if (this.left < 0) throw REFUSED;
  }

  private array(value: readonly unknown[], level: number): void {
    const length = value.length;
    this.enter(length, level);
    this.head(ARRAY, length);
    for (let index = 0; index < length; index++) this.value(value[index], level + 1);
  }

  private record(value: Record<string, unknown>, level: number): void {
    const keys = Object.keys(value);
    this.enter(keys.length, level);
    if (hasSymbols(value)) throw REFUSED;
    this.head(MAP, keys.length);
    for (const key of keys) {
      if (key === "__proto__") throw REFUSED;
      this.text(key);
      this.value(value[key], level + 1);
    }
  }

  private map(value: Map<unknown, unknown>, level: number): void {
    const size = value.size;
    this.enter(size * 2, level);
    this.head(TAG, tags.map);
    this.head(MAP, size);
    let written = 0;
    for (const [key, entry] of value) {
      this.value(key, level + 1);
      this.value(entry, level + 1);
      written++;
    }
    // A getter below may have changed the map that holds it.
    if (written !== size) throw REFUSED;
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value) && (value !== 0 || 1 / value > 0)) {
      if (value >= 0) this.head(UNSIGNED, value);
      else this.head(NEGATIVE, -1 - value);
      return;
    }
    this.float(value);
  }

  /** What isn't an integer: -0, the infinities and NaN as halves, the rest in single precision where that is exact. */
  private float(value: number): void {
    this.reserve(HEAD);
    if (value === 0 || value - value !== 0) {
      const half = value === 0 ? 0x8000 : Number.isNaN(value) ? 0x7e00 : value > 0 ? 0x7c00 : 0xfc00;
      this.view.setUint8(this.length, HALF);
      this.view.setUint16(this.length + 1, half);
      this.length += 3;
    } else if (Math.fround(value) === value) {
      this.view.setUint8(this.length, SINGLE);
      this.view.setFloat32(this.length + 1, value);
      this.length += 5;
    } else {
      this.view.setUint8(this.length, DOUBLE);
      this.view.setFloat64(this.length + 1, value);
      this.length += 9;
    }
  }

  private bigint(value: bigint): void {
    if (!isBigintInLimit(value)) throw REFUSED;
    this.head(TAG, value < 0n ? tags.negativeBignum : tags.bignum);
    this.bytes(bytesOfBigint(value < 0n ? -1n - value : value));
  }

  private date(ms: number): void {
    if (Math.abs(ms) > EXACT_SECONDS_MS) {
      this.head(TAG, tags.epochMs);
      this.number(ms);
    } else {
      this.head(TAG, tags.epochTime);
      this.number(ms / 1000);
    }
  }

  private viewBytes(value: ArrayBufferView): void {
    const type = viewType(value);
    if (type === undefined) throw REFUSED;
    if (type.tag !== undefined) this.head(TAG, type.tag);
    this.bytes(bytesOf(value));
  }

  private bytes(value: Uint8Array): void {
    this.head(BYTES, value.length);
    this.expect(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
  }

  private text(value: string): void {
    if (value.length > HUGE_TEXT) this.hugeText(value);
    else if (value.length > SHORT_TEXT || !this.shortAscii(value)) this.longText(value);
  }

  private shortAscii(value: string): boolean {
    this.reserve(HEAD + SHORT_TEXT);
    const start = this.length;
    this.head(TEXT, value.length);
    const buffer = this.buffer;
    let at = this.length;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 127) {
        this.length = start;
        return false;
      }
      buffer[at++] = code;
    }
    this.length = at;
    return true;
  }

  private longText(value: string): void {
    this.reserve(HEAD + value.length * 3);
    // The head's size is guessed from the letters; when the bytes need a longer one they are moved.
    const guess = headSize(value.length);
    const written = writeUtf8(value, this.buffer.subarray(this.length + guess));
    // Half a surrogate pair became a replacement character, which has more bytes than units.
    if (written !== value.length && !value.isWellFormed()) {
      this.utf16(value);
      return;
    }
    const size = headSize(written);
    if (size !== guess) {
      this.buffer.copyWithin(this.length + size, this.length + guess, this.length + guess + written);
    }
    this.head(TEXT, written);
    this.length += written;
  }

  /** Room for what is there, not for what it could be at the most: three times a huge text may not be to be had. */
  private hugeText(value: string): void {
    this.expect(value.length);
    const start = this.length;
    this.reserve(HEAD + value.length);
    this.length += headSize(value.length);
    const from = this.length;
    for (let rest = value; rest !== ""; ) {
      this.reserve(rest.length + HEAD);
      const { read, written } = writeUtf8Part(rest, this.buffer.subarray(this.length));
      this.length += written;
      rest = rest.slice(read);
    }
    const written = this.length - from;
    this.length = start;
    if (written !== value.length && !value.isWellFormed()) {
      this.utf16(value);
      return;
    }
    this.head(TEXT, written);
    this.length += written;
  }

  private utf16(value: string): void {
    this.head(TAG, tags.utf16);
    this.head(BYTES, value.length * 2);
    this.reserve(value.length * 2);
    for (let index = 0; index < value.length; index++) {
      this.view.setUint16(this.length, value.charCodeAt(index), true);
      this.length += 2;
    }
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  private head(major: number, argument: number): void {
    this.reserve(HEAD);
    const at = this.length;
    if (argument < 24) {
      this.buffer[at] = major | argument;
      this.length = at + 1;
    } else if (argument < 0x100) {
      this.buffer[at] = major | 24;
      this.buffer[at + 1] = argument;
      this.length = at + 2;
    } else if (argument < 0x1_0000) {
      this.buffer[at] = major | 25;
      this.view.setUint16(at + 1, argument);
      this.length = at + 3;
    } else if (argument < 0x1_0000_0000) {
      this.buffer[at] = major | 26;
      this.view.setUint32(at + 1, argument);
      this.length = at + 5;
    } else {
      this.buffer[at] = major | 27;
      this.view.setUint32(at + 1, Math.floor(argument / 0x1_0000_0000));
      this.view.setUint32(at + 5, argument % 0x1_0000_0000);
      this.length = at + 9;
    }
  }

  /** At least so many bytes come. */
  private expect(bytes: number): void {
    if (this.length + bytes <= this.maxBytes) return;
    this.length += bytes;
    throw TOO_LONG;
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    if (this.length > this.maxBytes) throw TOO_LONG;
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
    this.view = new DataView(larger.buffer);
  }
}

function headSize(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  return argument < 0x1_0000 ? 3 : 5;
}
