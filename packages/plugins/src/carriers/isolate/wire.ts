/**
 * What a runtime and its isolate process say to each other, over one socket pair: `u32 length | u32 isolate | u8 kind |
 * body`, numbers little-endian. An isolate's number is the runtime's, never used twice. The process is ours, but an
 * engine that was broken into may say anything: the runtime checks what it reads.
 */
import { limits } from "@troupe/protocol";

/** Kinds of messages. */
export const WireKind = {
  /** To the process: an isolate with a source. Body: `IsolateOrder`, JSON. */
  create: 1,
  /** Either way: a frame of plugin/v1. */
  frame: 2,
  /** To the process: end the isolate. */
  dispose: 3,
  /** From the process: nothing is left of the isolate. Body: why (`IsolateEnd`, JSON), or nothing after `dispose`. */
  ended: 4,
  /** From the process: the source is loaded. */
  loaded: 5,
  /** To the process, and back from it: a sign of life. No isolate's. */
  beat: 6,
} as const;

/** What an isolate is made of. */
export interface IsolateOrder {
  /** The name that the actor is registered under. */
  readonly name: string;
  readonly source: string;
  /** MiB. */
  readonly memoryLimit: number;
  /** Milliseconds of one entry. */
  readonly timeLimitMs: number;
}

/** Where in the source. Both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Why an isolate ended. */
export interface IsolateEnd {
  readonly code:
    | "syntax_error"
    | "load_failed"
    | "import_refused"
    | "no_definition"
    | "time_exceeded"
    | "memory_exceeded"
    | "too_many_timers"
    | "nonsense"
    | "too_much_waits"
    | "failed";
  readonly message: string;
  readonly place?: Place;
}

const HEADER_BYTES = 9;
/** What stands in front of a frame. */
const AFTER_LENGTH = HEADER_BYTES - 4;

/** One message, to be written. */
export function wireMessage(isolate: number, kind: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + body.byteLength);
  const view = new DataView(message.buffer);
  view.setUint32(0, AFTER_LENGTH + body.byteLength, true);
  view.setUint32(4, isolate, true);
  view.setUint8(8, kind);
  message.set(body, HEADER_BYTES);
  return message;
}

/** JSON as a body. */
export function jsonBody(value: IsolateOrder | IsolateEnd): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** A message that was read. */
export interface WireMessage {
  readonly isolate: number;
  readonly kind: number;
  readonly body: Buffer;
}

/** Cuts a stream of bytes into messages. */
export class WireReader {
  #rest: Buffer = Buffer.alloc(0);
  /** Chunks of a message that isn't whole, and how many bytes are missing. */
  #chunks: Buffer[] = [];
  #missing = 0;

  /** The messages that `chunk` completes. Throws a RangeError for one that is longer than any may be. */
  *read(chunk: Buffer): Generator<WireMessage> {
    if (chunk.byteLength < this.#missing) {
      this.#chunks.push(chunk);
      this.#missing -= chunk.byteLength;
      return;
    }
    let bytes = Buffer.concat([this.#rest, ...this.#chunks, chunk]);
    this.#chunks = [];
    while (bytes.byteLength >= HEADER_BYTES) {
      const length = bytes.readUInt32LE(0);
      if (length < AFTER_LENGTH || length > AFTER_LENGTH + limits.pluginFrameBytes)
        throw new RangeError(`A message of ${length} bytes`);
      if (bytes.byteLength < 4 + length) break;
      const body = bytes.subarray(HEADER_BYTES, 4 + length);
      const message = { isolate: bytes.readUInt32LE(4), kind: bytes.readUInt8(8), body };
      bytes = bytes.subarray(4 + length);
      yield message;
    }
    this.#rest = bytes;
    this.#missing = bytes.byteLength < 4 ? 0 : Math.max(0, 4 + bytes.readUInt32LE(0) - bytes.byteLength);
  }
}
