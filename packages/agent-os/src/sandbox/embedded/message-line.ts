/**
 * MessageLine: what the runtime and a worker say to each other, on one socket between the two.
 *
 *   bytes of the body (u32) · number of contents (u32) · bytes of each content (u32 …) · body · contents
 *
 * The body is a value as the engine serializes it. Contents are what of it is long, which is mostly what files contain: they travel beside
 * it as they are, so that 64 MiB of files are neither copied nor serialized in one turn of the runtime.
 */
import type { Duplex } from "node:stream";
import { DefaultDeserializer, DefaultSerializer } from "node:v8";

/** Shorter ones aren't worth a write of their own. */
const CONTENT_BYTES = 4_096;

/** Who listens on a line. */
export interface LineEar<Heard> {
  readonly heard: (message: Heard) => void;
  /** What comes can't be read, or is too long; nothing more is heard. */
  readonly broken: (cause: unknown) => void;
  /** The longest message that may come. Bytes. */
  readonly most: number;
}

/** One end. What comes is believed to be what the other end sends: they are of one program. */
export class MessageLine<Said, Heard> {
  readonly #socket: Duplex;
  readonly #ear: LineEar<Heard>;
  readonly #reader = this.#read();
  #part: Uint8Array;
  #filled = 0;

  constructor(socket: Duplex, ear: LineEar<Heard>) {
    this.#socket = socket;
    this.#ear = ear;
    this.#part = this.#next();
    // Its end is told by the other process's.
    socket.on("error", () => undefined);
    const hear = (chunk: Uint8Array) => {
      try {
        this.#take(chunk);
      } catch (cause) {
        socket.off("data", hear).resume();
        ear.broken(cause);
      }
    };
    socket.on("data", hear);
  }

  /** Contents are read until they are on their way: nobody changes them. */
  send(message: Said): void {
    const writer = new BodyWriter();
    writer.writeHeader();
    writer.writeValue(message);
    const body = writer.releaseBuffer();
    const { contents } = writer;
    const head = Uint32Array.of(
      body.byteLength,
      contents.length,
      ...contents.map(({ byteLength }) => byteLength),
    );
    this.#socket.cork();
    this.#socket.write(Buffer.from(head.buffer));
    this.#socket.write(body);
    for (const content of contents) this.#socket.write(content);
    this.#socket.uncork();
  }

  #take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.byteLength; ) {
      const fits = Math.min(this.#part.byteLength - this.#filled, chunk.byteLength - at);
      this.#part.set(chunk.subarray(at, at + fits), this.#filled);
      this.#filled += fits;
      at += fits;
      while (this.#filled === this.#part.byteLength) this.#part = this.#next(this.#part);
    }
  }

  #next(...part: [] | [Uint8Array]): Uint8Array {
    this.#filled = 0;
    return new Uint8Array(this.#reader.next(...part).value);
  }

  /** Yields how many bytes it needs, and is given them. */
  *#read(): Generator<number, never, Uint8Array> {
    for (;;) {
      const [bodyBytes = 0, count = 0] = numbers(yield 8);
      this.#check(bodyBytes + 4 * count);
      const lengths = numbers(yield 4 * count);
      this.#check(lengths.reduce((sum, length) => sum + length, bodyBytes));
      const body = yield bodyBytes;
      const contents: Uint8Array[] = [];
      for (const length of lengths) contents.push(yield length);
      const reader = new BodyReader(body, contents);
      reader.readHeader();
      this.#ear.heard(reader.readValue());
    }
  }

  #check(bytes: number): void {
    if (bytes > this.#ear.most) throw new RangeError(`a message of ${bytes} bytes is too long`);
  }
}

class BodyWriter extends DefaultSerializer {
  readonly contents: Uint8Array[] = [];

  /** Called by the engine for each view of bytes. */
  _writeHostObject(view: NodeJS.ArrayBufferView): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    this.writeUint32(bytes.byteLength);
    if (bytes.byteLength < CONTENT_BYTES) this.writeRawBytes(bytes);
    else this.contents.push(bytes);
  }
}

class BodyReader extends DefaultDeserializer {
  readonly #contents: readonly Uint8Array[];
  #taken = 0;

  constructor(body: Uint8Array, contents: readonly Uint8Array[]) {
    super(body);
    this.#contents = contents;
  }

  _readHostObject(): Uint8Array | undefined {
    const bytes = this.readUint32();
    // What is read is a part of the message, which nobody else is to keep in memory.
    if (bytes < CONTENT_BYTES) return Uint8Array.from(this.readRawBytes(bytes));
    this.#taken += 1;
    return this.#contents[this.#taken - 1];
  }
}

/** As the machine has them: both ends are on one. */
function numbers(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
