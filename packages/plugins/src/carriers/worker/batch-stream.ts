/**
 * Batch stream: one end of the stream between a host and a worker. It is gRPC's: each batch of frames is a message, with a flag for
 * compression, which none of ours has, and its length in front; what carries messages is a stream of HTTP/2, which Node has.
 *
 * The host waits for a batch's first byte longer than for anything that is done with it here. So a batch is written at once, as
 * one piece, and heard in the turn in which it is read.
 */
import type { Http2Stream } from "node:http2";
import { engineLimits } from "@troupe/protocol";
import { HostBatchCodec, PluginBatchCodec } from "@troupe/protocol/plugin/v1";

/** A flag and a length. */
const HEAD_BYTES = 5;
/** In front of each frame of a batch: field 1, bytes. */
const FRAME_TAG = 10;
const NOTHING: readonly Uint8Array[] = [];

interface Batch {
  readonly frames: readonly Uint8Array[];
}

/** What each end hears. */
const codecs: Readonly<Record<"host" | "worker", { decode(bytes: Uint8Array): Batch }>> = {
  host: PluginBatchCodec,
  worker: HostBatchCodec,
};

/** What an end hears of the other. */
export interface BatchEvents {
  /** Frames, in order. */
  batch(frames: readonly Uint8Array[]): void;
  /** What was sent can't be read: once, and nothing more comes. */
  unreadable(cause: Error): void;
  /** Nothing more comes. May be told again, and after `unreadable`. */
  ended(): void;
}

/** One end. */
export class BatchStream {
  readonly #stream: Http2Stream;
  readonly #heard: { decode(bytes: Uint8Array): Batch };
  /** Of a message that isn't whole yet: its bytes, in pieces, and how many they are. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** There is nothing to read before they are so many. */
  #wanted = HEAD_BYTES;

  /** Errors of the stream are its owner's to hear; its end follows them. */
  constructor(stream: Http2Stream, end: "host" | "worker") {
    this.#stream = stream;
    this.#heard = codecs[end];
  }

  /** Hears the other end, from now on. */
  listen(events: BatchEvents): void {
    const stream = this.#stream;
    stream.on("data", (chunk: Buffer) => {
      const frames = this.#read(chunk);
      if (frames instanceof Error) {
        events.unreadable(frames);
        stream.destroy();
      } else if (frames.length > 0) events.batch(frames);
    });
    for (const end of ["end", "aborted", "close"]) stream.on(end, () => events.ended());
  }

  /** False: nothing more before `drain`. */
  write(batch: Batch): boolean {
    return this.#stream.write(messageOf(batch));
  }

  once(event: "drain", listener: () => void): void {
    this.#stream.once(event, listener);
  }

  /** Nothing is read until `resume`. What was read is heard all the same. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (this.#stream.isPaused()) this.#stream.resume();
  }

  /** What was written goes, and then the end. */
  end(): void {
    this.#stream.end();
  }

  /** The frames of all messages that are whole now, or why there can't be any. */
  #read(chunk: Buffer): readonly Uint8Array[] | Error {
    this.#bytes += chunk.length;
    this.#pieces.push(chunk);
    if (this.#bytes < this.#wanted) return NOTHING;
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    try {
      return this.#framesOf(bytes);
    } catch (cause) {
      return cause instanceof Error ? cause : new Error(String(cause));
    }
  }

  #framesOf(bytes: Buffer): readonly Uint8Array[] {
    const frames: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      const left = bytes.length - at;
      this.#wanted = left < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + lengthAt(bytes, at);
      if (left < this.#wanted) break;
      const message = bytes.subarray(at + HEAD_BYTES, at + this.#wanted);
      for (const frame of this.#heard.decode(message).frames) frames.push(frame);
      at += this.#wanted;
    }
    this.#bytes = bytes.length - at;
    this.#pieces = this.#bytes > 0 ? [bytes.subarray(at)] : [];
    return frames;
  }
}

/**
 * A batch as a message: the head, and each frame behind its field's tag and its length. It is written here and not by the codec, which
 * would copy frames twice more.
 */
function messageOf({ frames }: Batch): Buffer {
  let bytes = 0;
  for (const { byteLength } of frames) bytes += 1 + varintBytes(byteLength) + byteLength;
  const message = Buffer.allocUnsafe(HEAD_BYTES + bytes);
  message[0] = 0;
  let at = message.writeUInt32BE(bytes, 1);
  for (const frame of frames) {
    message[at++] = FRAME_TAG;
    let length = frame.byteLength;
    for (; length > 0x7f; length >>>= 7) message[at++] = (length & 0x7f) | 0x80;
    message[at++] = length;
    message.set(frame, at);
    at += frame.byteLength;
  }
  return message;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes += 1;
  return bytes;
}

/** Of the message that begins at `at`. */
function lengthAt(bytes: Buffer, at: number): number {
  if (bytes[at] !== 0) throw new Error("a message is compressed, which nobody asked for");
  const length = bytes.readUInt32BE(at + 1);
  if (length <= engineLimits.workerMessageBytes) return length;
  throw new Error(`a message has ${length} bytes, and may have ${engineLimits.workerMessageBytes}`);
}
