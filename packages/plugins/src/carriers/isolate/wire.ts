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
  /** From the process: the isolate has spent half of what it may say in one turn of the runtime. */
  spent: 7,
  /** To the process: the turn in which that was read is over. */
  more: 8,
  /** To the process: a frame, behind whose answer another is likely to come at once. */
  frameOfMore: 9,
  /** From the process: the isolates that have run for long, whenever they are others than before. No isolate's. Body: numbers, JSON. */
  long: 10,
} as const;

/** What an isolate is made of. */
export interface IsolateOrder {
  /** The name that the actor is registered under. */
  readonly name: string;
  readonly source: string;
  /** The source is TypeScript. Default: it is JavaScript. */
  readonly typescript?: boolean;
  /** `process.env` of the source. Default: it has none. */
  readonly env?: Readonly<Record<string, string>>;
  /** It has `fetch`, which asks the runtime. Default: it has none. */
  readonly fetch?: boolean;
  /** It may import `node:fs/promises`, which asks the runtime. Default: there is none. */
  readonly files?: boolean;
  /** What of a relay it may ask the runtime for: to say what happens, to call tools and models. Default: nothing. */
  readonly asks?: readonly ("events" | "calls")[];
  /** Files of modules that it may import, by their names. Default: none. */
  readonly packages?: Readonly<Record<string, string>>;
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
  /** For everybody: what was wrong, in words of ours or the engine's. */
  readonly message: string;
  /** What the source threw, which may hold what is nobody else's business. */
  readonly thrown?: string;
  readonly place?: Place;
}

const HEADER_BYTES = 9;
/** What stands in front of a frame. */
const AFTER_LENGTH = HEADER_BYTES - 4;

/** Messages on their way: what is said in one turn is written in one piece, and wakes the reader once. */
export class WireWriter {
  readonly #write: (bytes: Uint8Array) => void;
  #messages: WireMessage[] = [];
  #bytes = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Bytes that wait for the end of the turn. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a message; the bytes of its body mustn't change in this turn. */
  say(isolate: number, kind: number, body: Uint8Array = NOTHING): void {
    if (this.#messages.push({ isolate, kind, body }) === 1) process.nextTick(this.#flush);
    this.#bytes += HEADER_BYTES + body.byteLength;
  }

  readonly #flush = (): void => {
    const messages = this.#messages;
    const all = Buffer.allocUnsafe(this.#bytes);
    this.#messages = [];
    this.#bytes = 0;
    let at = 0;
    for (const { isolate, kind, body } of messages) {
      all.writeUInt32LE(AFTER_LENGTH + body.byteLength, at);
      all.writeUInt32LE(isolate, at + 4);
      all.writeUInt8(kind, at + 8);
      all.set(body, at + HEADER_BYTES);
      at += HEADER_BYTES + body.byteLength;
    }
    this.#write(all);
  };
}

const NOTHING = new Uint8Array(0);

/** JSON as a body. */
export function jsonBody(value: IsolateOrder | IsolateEnd | readonly number[]): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The text of a body. */
export function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
}

/** One message. */
export interface WireMessage {
  readonly isolate: number;
  readonly kind: number;
  readonly body: Uint8Array;
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
    const whole = this.#rest.byteLength === 0 && this.#chunks.length === 0;
    let bytes = whole ? chunk : Buffer.concat([this.#rest, ...this.#chunks, chunk]);
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
