/**
 * A streamed result over HTTP: the body of an action's answer, in parts. Each part is an item, the end, or the error that
 * ends it; a body without one of the last two was broken off.
 *
 *   application/x-ndjson                 {"item":1}\\n{"item":2}\\n{"end":true}\\n        a line of JSON each
 *   application/vnd.troupe.cbor-stream   the same objects in CBOR, each behind its length (4 bytes, big endian)
 */
import { protocolErrors } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { encodeCborWithin } from "../../values/cbor.ts";
import { encodeJson, encodeJsonWithin } from "../../values/json-write.ts";
import { readUtf8, utf8Bytes } from "../../values/text.ts";
import { pickError } from "./codec.ts";
import type { Encoding, WireError } from "./frames.ts";
import { decodeShape, FRAME_DEPTH, readError } from "./shape.ts";

/** The `content-type` of a streamed result, by its encoding. */
export const STREAM_TYPES: Readonly<Record<Encoding, string>> = Object.freeze({
  json: "application/x-ndjson",
  cbor: "application/vnd.troupe.cbor-stream",
});

/** A part of a streamed result. */
export type StreamPart =
  | { readonly kind: "item"; readonly item: unknown }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly error: WireError };

/** A part as it travels. Throws group `value` when an item can't be sent. */
export function encodeStreamPart(part: StreamPart, encoding: Encoding): Uint8Array {
  if (encoding === "json") return utf8Bytes(`${jsonOf(part)}\n`);
  const bytes = encodeCborWithin(objectOf(part), "", FRAME_DEPTH);
  const framed = new Uint8Array(LENGTH_BYTES + bytes.byteLength);
  new DataView(framed.buffer).setUint32(0, bytes.byteLength);
  framed.set(bytes, LENGTH_BYTES);
  return framed;
}

/** Takes the bytes of a streamed result apart, as they come. */
export class StreamPartReader {
  readonly #encoding: Encoding;
  #rest = new Uint8Array(0);
  /** No line ends before this. */
  #searched = 0;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  /** The parts that are whole now. Throws `protocol.malformed_frame`, or group `value`. */
  push(bytes: Uint8Array): StreamPart[] {
    this.#rest = joined(this.#rest, bytes);
    const parts: StreamPart[] = [];
    for (let part = this.#next(); part !== undefined; part = this.#next()) parts.push(part);
    if (this.#rest.byteLength > limits.outgoingMessageBytes + LENGTH_BYTES)
      throw protocolErrors.malformedFrame("a part of a stream is too long");
    return parts;
  }

  #next(): StreamPart | undefined {
    return this.#encoding === "json" ? this.#line() : this.#framed();
  }

  #line(): StreamPart | undefined {
    const end = this.#rest.indexOf(NEWLINE, this.#searched);
    if (end === -1) {
      this.#searched = this.#rest.byteLength;
      return undefined;
    }
    const text = textOf(this.#take(0, end, end + 1));
    return partOf(text, "json");
  }

  #framed(): StreamPart | undefined {
    const { buffer, byteOffset, byteLength } = this.#rest;
    if (byteLength < LENGTH_BYTES) return undefined;
    const length = new DataView(buffer, byteOffset).getUint32(0);
    if (length > limits.outgoingMessageBytes)
      throw protocolErrors.malformedFrame("a part of a stream is too long");
    const end = LENGTH_BYTES + length;
    return byteLength < end ? undefined : partOf(this.#take(LENGTH_BYTES, end, end), "cbor");
  }

  #take(start: number, end: number, next: number): Uint8Array {
    const bytes = this.#rest.subarray(start, end);
    this.#rest = this.#rest.subarray(next);
    this.#searched = 0;
    return bytes;
  }
}

const LENGTH_BYTES = 4;
const NEWLINE = 0x0a;

function jsonOf(part: StreamPart): string {
  if (part.kind !== "item") return encodeJsonWithin(objectOf(part), "", FRAME_DEPTH);
  return part.item === undefined ? "{}" : `{"item":${encodeJson(part.item, "item")}}`;
}

function objectOf(part: StreamPart): object {
  if (part.kind === "end") return { end: true };
  if (part.kind === "error") return { error: pickError(part.error) };
  return part.item === undefined ? {} : { item: part.item };
}

function partOf(data: string | Uint8Array, encoding: Encoding): StreamPart {
  const shape = decodeShape(data, encoding);
  if (shape.error !== undefined) return { kind: "error", error: readError(shape) };
  return shape.end === true ? { kind: "end" } : { kind: "item", item: shape.item };
}

function textOf(bytes: Uint8Array): string {
  try {
    return readUtf8(bytes);
  } catch (cause) {
    throw protocolErrors.malformedFrame("it isn't UTF-8", cause);
  }
}

function joined(one: Uint8Array<ArrayBuffer>, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.byteLength + other.byteLength);
  both.set(one);
  both.set(other, one.byteLength);
  return both;
}
