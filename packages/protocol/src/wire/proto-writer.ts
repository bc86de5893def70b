/**
 * ProtoWriter: protobuf's wire format, as the generated codecs write it.
 *
 * Frames are short and many, and memory of its own costs a frame more than its letters do. So what is short is written into
 * memory that frames share, and `finish` gives the part of it: never to be passed on by its `buffer`. One that is kept keeps
 * all of that memory. What is long gets its own. Numbers of 64 bits are numbers here: a safe integer, or none.
 */
import { writeUtf8 } from "../values/text.ts";

/** Memory that short frames share. */
const SHARED_BYTES = 8 * 1024;
/** Longer frames get memory of their own. */
const SHORT_BYTES = SHARED_BYTES / 4;
/** What a long piece is followed by. */
const LITTLE_BYTES = 256;
/** Texts up to this length are written here: the call into the platform costs more than their letters. */
const SHORT_TEXT = 48;
/** The longest varint of a safe integer, and of a negative number of 32 bits. */
const VARINT_BYTES = 10;
const NOTHING = new Uint8Array(0);

/** Writes one message after the other. */
export class ProtoWriter {
  private buffer: Uint8Array<ArrayBuffer> = NOTHING;
  /** Where the message begins that is written. */
  private start = 0;
  private at = 0;
  /** Where messages inside of it begin. */
  private forks: number[] = [];

  /** A new message. What wasn't finished, since something in it can't be written, is dropped. */
  begin(): this {
    this.at = this.start;
    if (this.forks.length > 0) this.forks = [];
    return this;
  }

  /** The bytes of the message. */
  finish(): Uint8Array<ArrayBuffer> {
    const { buffer, start, at } = this;
    if (at - start > SHORT_BYTES) {
      // What is in front of it is others', if it is in memory that is shared.
      if (buffer.length > SHARED_BYTES) this.buffer = NOTHING;
      // All but full of it: not worth a copy.
      if (start === 0 && buffer.length > SHARED_BYTES && at * 4 > buffer.length * 3)
        return buffer.subarray(0, at);
      return buffer.slice(start, at);
    }
    this.start = at;
    return new Uint8Array(buffer.buffer, start, at - start);
  }

  /** What follows, until `join`, is a message inside of this one, and has its length in front. */
  fork(): this {
    this.forks.push(this.at - this.start);
    this.reserve(1);
    this.at += 1;
    return this;
  }

  join(): this {
    const fork = this.forks.pop() ?? 0;
    const length = this.at - this.start - fork - 1;
    // One byte was left for the length.
    const more = varintSize(length) - 1;
    if (more > 0) {
      this.reserve(more);
      const from = this.start + fork + 1;
      this.buffer.copyWithin(from + more, from, from + length);
    }
    this.at = this.start + fork;
    this.varint(length);
    this.at += length;
    return this;
  }

  uint32(value: number): this {
    if (value >>> 0 !== value) throw new RangeError(`${value} is no number of 32 bits`);
    this.reserve(VARINT_BYTES);
    return this.varint(value);
  }

  /** Throws for what isn't a safe integer, or negative. */
  uint64(value: number): this {
    if (value >>> 0 === value) return this.uint32(value);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`${value} is no whole number from 0 to 2^53 - 1`);
    this.reserve(VARINT_BYTES);
    let rest = value;
    for (; rest > 0xffff_ffff; rest = Math.floor(rest / 0x80)) this.buffer[this.at++] = (rest % 0x80) | 0x80;
    return this.varint(rest);
  }

  int32(value: number): this {
    if (value >= 0) return this.uint32(value);
    if ((value | 0) !== value) throw new RangeError(`${value} is no number of 32 bits`);
    // Ten bytes, as one of 64 bits.
    this.reserve(VARINT_BYTES);
    for (let byte = 0, rest = value; byte < VARINT_BYTES - 1; byte += 1, rest >>= 7)
      this.buffer[this.at++] = (rest & 0x7f) | 0x80;
    this.buffer[this.at++] = 1;
    return this;
  }

  sint32(value: number): this {
    if ((value | 0) !== value) throw new RangeError(`${value} is no number of 32 bits`);
    return this.uint32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  bool(value: boolean): this {
    this.reserve(1);
    this.buffer[this.at++] = value ? 1 : 0;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.uint32(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
    return this;
  }

  string(value: string): this {
    if (value.length <= SHORT_TEXT && this.shortAscii(value)) return this;
    const guess = varintSize(value.length);
    // At most three bytes for each unit of UTF-16.
    this.reserve(VARINT_BYTES + value.length * 3);
    const from = this.at;
    const written = writeUtf8(value, this.buffer.subarray(from + guess));
    const size = varintSize(written);
    // Guessed from the letters; when the bytes need a longer one they are moved.
    if (size !== guess) this.buffer.copyWithin(from + size, from + guess, from + guess + written);
    this.varint(written);
    this.at += written;
    return this;
  }

  private shortAscii(value: string): boolean {
    this.reserve(1 + SHORT_TEXT);
    const { buffer } = this;
    let at = this.at;
    buffer[at++] = value.length;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.at = at;
    return true;
  }

  /** One of at most 32 bits; there is room. */
  private varint(value: number): this {
    const { buffer } = this;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) buffer[this.at++] = (rest & 0x7f) | 0x80;
    buffer[this.at++] = rest;
    return this;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes > this.buffer.length) this.move(bytes);
  }

  /** The message goes on in other memory, with room for so many bytes more. */
  private move(bytes: number): void {
    const used = this.at - this.start;
    // Behind a long piece little follows; pieces of any length don't move it more than a few times.
    const size = used + bytes > SHARED_BYTES ? Math.max(used + bytes + LITTLE_BYTES, used * 2) : SHARED_BYTES;
    const other = new Uint8Array(size);
    other.set(this.buffer.subarray(this.start, this.at));
    this.buffer = other;
    this.start = 0;
    this.at = used;
  }
}

function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** All codecs write into this one: none of them writes while another does. */
const writer = new ProtoWriter();

/** A writer that begins a message. To be finished before anything else is written. */
export function begin(): ProtoWriter {
  return writer.begin();
}
