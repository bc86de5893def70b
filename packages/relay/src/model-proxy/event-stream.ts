/**
 * EventStream: server-sent events that are written here, since a middleware stood between them and their provider. A chunk is the JSON of an
 * event; the word behind the last one, which is none, is written as it came.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { isObject } from "../codecs/json.ts";

/** OpenAI's word behind the last chunk. */
export const LAST_DATA = "[DONE]";

/** The head of an answer that nobody else has one for. */
const ownHead = ["content-type", "text/event-stream", "cache-control", "no-cache"];

/** What a client gets of it. */
export interface EventStreamParts {
  readonly response: ServerResponse;
  /** Shown all that is written. */
  readonly see: (bytes: Buffer) => void;
}

/** A stream to a client. */
export class EventStream {
  readonly #parts: EventStreamParts;
  #begun = false;

  constructor(parts: EventStreamParts) {
    this.#parts = parts;
  }

  /** Sends the head, once. `headers`: name, value, name, value … */
  begin(status = 200, headers: readonly string[] = ownHead): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#parts.response.writeHead(status, [...headers]);
    this.#parts.response.flushHeaders();
  }

  /** An event; settles when there is room for another. */
  async chunk(chunk: unknown): Promise<void> {
    await this.bytes(Buffer.from(`${eventOf(chunk)}data: ${JSON.stringify(chunk)}\n\n`));
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

  /** Behind the last event. */
  async end({ last = false }: { readonly last?: boolean } = {}): Promise<void> {
    if (last) await this.bytes(Buffer.from(`data: ${LAST_DATA}\n\n`));
    this.begin();
    this.#parts.response.end();
  }
}

/** A type with an end of a line in it would be an event of its own, which no intercept was shown. */
function eventOf(chunk: unknown): string {
  const type = isObject(chunk) ? chunk["type"] : undefined;
  return typeof type === "string" && !/[\r\n]/.test(type) ? `event: ${type}\n` : "";
}
