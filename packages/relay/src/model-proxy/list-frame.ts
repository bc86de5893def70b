/** ListFrame: chunks as the elements of one list in JSON, as Gemini streams where nobody asks for events. */
import type { ChunkFrame } from "./answer-stream.ts";
import type { TakenChunk } from "./came-chunks.ts";

/** A list. */
export class ListFrame implements ChunkFrame {
  readonly contentType = "application/json; charset=utf-8";
  readonly last = "]";
  #isOpen = false;

  chunk(json: string, _chunk: unknown, { same }: TakenChunk): string {
    // The first that is written may not be the first that came.
    const fits = same !== undefined && same.before.includes("[") !== this.#isOpen;
    const before = fits ? same.before : this.#isOpen ? "," : "[";
    this.#isOpen = true;
    return before + json;
  }

  end(last: string): string {
    // Of a list of nothing its beginning stands there too.
    const isWhole = last.includes("[");
    if (this.#isOpen) return isWhole ? last.slice(last.indexOf("[") + 1) : last;
    return isWhole ? last : `[${last}`;
  }
}
