/**
 * HeldBody: what has come of a request's body.
 *
 * A long one takes its length once while it comes, and twice while it is known what it says: with its bytes, its text and its content side
 * by side it would be three times. So its text takes the place of its bytes, and is written as the same bytes again, piece by piece.
 */
import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";

/** Bytes. */
export interface BodyLimits {
  /** More than that is long. */
  readonly held: number;
  readonly most: number;
}

const nothing = Buffer.alloc(0);
/** Characters of a long text that are written at once. */
const PIECE = 256 * 1024;

/** What has come. */
export class HeldBody {
  readonly #limits: BodyLimits;
  #chunks: Buffer[] = [];
  /** Of a long one, from its beginning. */
  #place: Buffer | undefined = undefined;
  #bytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** How much. */
  get bytes(): number {
    return this.#bytes;
  }

  get isLong(): boolean {
    return this.#bytes > this.#limits.held;
  }

  get isTooLong(): boolean {
    return this.#bytes > this.#limits.most;
  }

  add(chunk: Buffer): void {
    const before = this.#bytes;
    this.#bytes += chunk.length;
    if (this.isTooLong) this.drop();
    else if (this.isLong) chunk.copy(this.#placed(), before);
    else this.#chunks.push(chunk);
  }

  /** Keeps nothing of it but how much it was. */
  drop(): void {
    this.#chunks = [];
    this.#place = undefined;
  }

  /** As it came; they are nobody else's from now on. */
  taken(): Buffer[] {
    const taken = this.#place === undefined ? this.#chunks : [this.#place.subarray(0, this.#bytes)];
    this.drop();
    return taken;
  }

  whole(): Buffer {
    if (this.#place !== undefined) return this.#place.subarray(0, this.#bytes);
    return this.#chunks.length === 1 ? (this.#chunks[0] ?? nothing) : Buffer.concat(this.#chunks);
  }

  /** The text of a long one, which then has no bytes any more. Undefined: it is no text, and stays what it was. */
  intoText(): string | undefined {
    const bytes = this.whole();
    if (!isUtf8(bytes)) return undefined;
    const text = bytes.toString("utf8");
    const memory = this.#place?.buffer;
    // Given back now: whoever collects garbage may take his time.
    if (memory instanceof ArrayBuffer) memory.transfer(0);
    this.drop();
    return text;
  }

  /** With what came before. The system gives memory where it is written to: what isn't needed of it takes none. */
  #placed(): Buffer {
    if (this.#place !== undefined) return this.#place;
    this.#place = Buffer.allocUnsafeSlow(this.#limits.most);
    let at = 0;
    for (const chunk of this.#chunks) at += chunk.copy(this.#place, at);
    this.#chunks = [];
    return this.#place;
  }
}

/** The bytes of a text, while they are taken. */
export function bytesOfText(text: string): Readable {
  return Readable.from(pieces(text), { objectMode: false });
}

function* pieces(text: string): Generator<Buffer> {
  for (let at = 0; at < text.length; ) {
    const end = Math.min(at + PIECE, text.length);
    // The two halves of one character stay together.
    const isHalf = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
    const next = isHalf && end < text.length ? end - 1 : end;
    yield Buffer.from(text.slice(at, next));
    at = next;
  }
}
