/**
 * AnswerStream: a stream that is written here, since a middleware stood between it and its provider.
 *
 * A chunk that no intercept changed is written as its provider wrote it, and one that was changed has the numbers that stayed as they were;
 * see `exact-json.ts`. How chunks stand one behind the other is its frame's: events, or the elements of a list.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { CameChunks, TakenChunk } from "./came-chunks.ts";
import { asJson } from "./errors.ts";
import { exactJson } from "./exact-json.ts";

/** How chunks stand one behind the other. It knows what was written so far. */
export interface ChunkFrame {
  readonly contentType: string;
  /** What ends a stream that has no provider. */
  readonly last: string;
  /** One more. `came`: which of the provider's it is, as far as that is known. */
  chunk(json: string, chunk: unknown, came: TakenChunk): string;
  /** Behind all; `last`: what stood there. */
  end(last: string): string;
}

function writtenChunk(chunk: unknown): string {
  const text: string | undefined = JSON.stringify(chunk);
  if (text === undefined) throw new TypeError("nothing at all");
  return text;
}

/** What a client gets of it. */
export interface AnswerStreamParts {
  readonly response: ServerResponse;
  /** Shown all that is written. */
  readonly see: (bytes: Buffer) => void;
  /** What came of the provider, if there is one. */
  readonly came?: CameChunks;
  readonly frame: ChunkFrame;
}

/** A stream to a client. */
export class AnswerStream {
  readonly #parts: AnswerStreamParts;
  #frame: ChunkFrame;
  #begun = false;

  constructor(parts: AnswerStreamParts) {
    this.#parts = parts;
    this.#frame = parts.frame;
  }

  /** Sends the head, once. `headers`: name, value, name, value … `frame`: of what a provider answers, which may have taken another form. */
  begin(status = 200, headers?: readonly string[], frame?: ChunkFrame): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#frame = frame ?? this.#frame;
    const own = ["content-type", this.#frame.contentType, "cache-control", "no-cache"];
    this.#parts.response.writeHead(status, [...(headers ?? own)]);
    this.#parts.response.flushHeaders();
  }

  /** One more; settles when there is room for another. */
  async chunk(chunk: unknown): Promise<void> {
    const plain = asJson("a chunk", () => writtenChunk(chunk));
    this.begin();
    const came = this.#parts.came?.take(plain) ?? {};
    const { same, like } = came;
    const json = same?.json ?? (like === undefined ? plain : exactJson(chunk, like.json));
    await this.bytes(Buffer.from(this.#frame.chunk(json, chunk, came)));
  }

  /** What is written as it came. */
  async bytes(bytes: Buffer): Promise<void> {
    this.begin();
    const { response, see } = this.#parts;
    see(bytes);
    // One that was closed has no room any more, and whoever asked is told by its signal.
    if (!response.write(bytes) && !response.destroyed)
      await Promise.race([once(response, "drain"), once(response, "close")]);
  }

  /** Behind what was written: its client is to get that, and to see that it isn't all. */
  cut(): void {
    const { response } = this.#parts;
    if (response.socket === null) response.destroy();
    else response.socket.destroySoon();
  }

  /** Behind the last chunk. `last`: what stood there; undefined: its provider hasn't ended it, and neither does this. */
  async end(last: string | undefined): Promise<void> {
    this.begin();
    const text = last === undefined ? "" : this.#frame.end(last);
    if (text !== "") await this.bytes(Buffer.from(text));
    this.#parts.response.end();
  }
}
