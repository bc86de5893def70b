/**
 * Frames between the runtime and a sandbox's supervisor: a JSON message and the bytes that go with it.
 *
 *   u32 bytes of JSON · u32 bytes of the body · JSON · body            (little-endian)
 *
 * Whatever runs in the sandbox may write frames: a reader takes none that is longer than it was told, and says nothing about what
 * is in them.
 */

const HEAD = 8;
const none = new Uint8Array();

/** How long a frame may be. */
export interface FrameLimits {
  readonly messageBytes: number;
  readonly bodyBytes: number;
}

/** One frame. */
export interface Frame {
  readonly message: unknown;
  readonly body: Uint8Array;
}

/** What is written for a frame; the body isn't copied. */
export function encodeFrame(message: object, body: Uint8Array = none): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(json.byteLength, 0);
  head.writeUInt32LE(body.byteLength, 4);
  const start = Buffer.concat([head, json]);
  return body.byteLength === 0 ? [start] : [start, body];
}

/** Makes frames of what is read. */
export class FrameReader {
  readonly #limits: FrameLimits;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed = HEAD;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** The frames that are complete with this chunk. Throws where there is no frame. */
  *take(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    while (this.#bytes >= this.#needed) {
      const [first] = this.#chunks;
      const bytes = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
      const [json, body] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
      if (json > this.#limits.messageBytes || body > this.#limits.bodyBytes)
        throw new Error(`a frame of ${json} and ${body} bytes`);
      const end = HEAD + json + body;
      this.#chunks = [bytes];
      this.#needed = end;
      if (bytes.byteLength < end) return;
      this.#chunks = [bytes.subarray(end)];
      this.#bytes -= end;
      this.#needed = HEAD;
      yield {
        message: JSON.parse(bytes.toString("utf8", HEAD, HEAD + json)),
        // A copy: it doesn't keep what else was read with it.
        body: Uint8Array.from(bytes.subarray(HEAD + json, end)),
      };
    }
  }
}
