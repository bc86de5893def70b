/**
 * The items of a streamed result over HTTP. The body is read as they are taken, so that what nobody takes isn't made.
 */
import { type Encoding, fromWireError, type StreamPart, StreamPartReader } from "@troupe/protocol";
import { clientErrors } from "../errors.ts";
import type { ItemSource } from "../stream/item-source.ts";

/** Reads items from a body. */
export class HttpItems implements ItemSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parts: StreamPartReader;
  readonly #what: string;
  #ready: StreamPart[] = [];

  constructor(body: ReadableStream<Uint8Array>, encoding: Encoding, what: string) {
    this.#reader = body.getReader();
    this.#parts = new StreamPartReader(encoding);
    this.#what = what;
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    for (;;) {
      const part = this.#ready.shift();
      if (part?.kind === "item") return { done: false, value: part.item };
      if (part?.kind === "end") return { done: true, value: undefined };
      if (part !== undefined) throw fromWireError(part.error);
      await this.#read();
    }
  }

  cancel(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => {});
  }

  async #read(): Promise<void> {
    let chunk: { readonly done: boolean; readonly value?: Uint8Array | undefined };
    try {
      chunk = await this.#reader.read();
    } catch (error) {
      throw clientErrors.outcomeUnknown(this.#what, error);
    }
    if (chunk.value === undefined) throw clientErrors.outcomeUnknown(this.#what, new Error("it broke off"));
    this.#ready = this.#parts.push(chunk.value);
  }
}
