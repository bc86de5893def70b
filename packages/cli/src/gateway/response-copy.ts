/** What a trace tells of a response: its size, and its content where that is short JSON in plain bytes. */
import { Transform, type TransformCallback } from "node:stream";
import { contentOf } from "./body.ts";

/** A longer response is told of by its size alone. */
const COPY_BYTES = 256 * 1024;

/** Passes bytes on, and remembers the first of them. */
export class ResponseCopy extends Transform {
  #bytes = 0;
  readonly #chunks: Buffer[] = [];

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= COPY_BYTES) this.#chunks.push(chunk);
    done(null, chunk);
  }

  /** For the end event of the call. */
  summary(headers: Readonly<Record<string, unknown>>): { readonly bytes: number; readonly content: unknown } {
    const encoding = headers["content-encoding"];
    const whole = this.#bytes <= COPY_BYTES;
    const content = whole
      ? contentOf(Buffer.concat(this.#chunks), typeof encoding === "string" ? encoding : undefined)
      : null;
    return { bytes: this.#bytes, content };
  }
}
