/**
 * ProtoReader: protobuf's wire format, as the generated codecs read it. Whatever a stranger sent is a message, or an error:
 * every length is held against the bytes that there are. Bytes are parts of what is read, not copied.
 */
import { readLenientUtf8, shortAscii } from "../values/text.ts";

/** A message's bytes where there are none: one for all of them. */
export const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** Wire types. */
const VARINT = 0;
const BYTES_8 = 1;
const LENGTH = 2;
const BYTES_4 = 5;

/** Texts up to this length are read here when they are ASCII: the call into the platform costs more. */
const SHORT_TEXT = 24;
/** The longest varint. */
const VARINT_BYTES = 10;

/** Reads one message. Every method throws a RangeError where the bytes end too early, or can't be what is asked for. */
export class ProtoReader {
  pos = 0;
  readonly len: number;
  private readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
    this.len = data.length;
  }

  /** The low 32 bits, as the format has it. */
  uint32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < VARINT_BYTES * 7; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError("A number that doesn't end");
  }

  /** Throws for what no number can hold. */
  uint64(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    const value = this.long(first);
    if (value > Number.MAX_SAFE_INTEGER) throw new RangeError("A number past 2^53 - 1");
    return value;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  bool(): boolean {
    const first = this.byte();
    return (first < 0x80 ? first : this.long(first)) !== 0;
  }

  bytes(): Uint8Array {
    const start = this.span();
    // A part of a Buffer would be one, and its `slice` no copy.
    return new Uint8Array(this.data.buffer, this.data.byteOffset + start, this.pos - start);
  }

  string(): string {
    const start = this.span();
    const length = this.pos - start;
    const short = length <= SHORT_TEXT ? shortAscii(this.data, start, length) : undefined;
    return short ?? readLenientUtf8(this.data.subarray(start, this.pos));
  }

  /** What this version doesn't know. */
  skip(wireType: number): void {
    if (wireType === VARINT) this.uint32();
    else if (wireType === LENGTH) this.span();
    else if (wireType === BYTES_8) this.pass(8);
    else if (wireType === BYTES_4) this.pass(4);
    else throw new RangeError(`Wire type ${wireType} isn't one of ours`);
  }

  /** Where the next bytes with a length begin; `pos` is behind them. */
  private span(): number {
    const length = this.uint32();
    const start = this.pos;
    this.pass(length);
    return start;
  }

  private pass(bytes: number): void {
    this.pos += bytes;
    if (this.pos > this.len) throw tooShort();
  }

  private byte(): number {
    const byte = this.pos < this.len ? this.data[this.pos] : undefined;
    if (byte === undefined) throw tooShort();
    this.pos += 1;
    return byte;
  }

  private long(first: number): number {
    let value = first & 0x7f;
    let unit = 0x80;
    for (let read = 1; read < VARINT_BYTES; read += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
    throw new RangeError("A number that doesn't end");
  }
}

function tooShort(): RangeError {
  return new RangeError("It ends too early");
}
