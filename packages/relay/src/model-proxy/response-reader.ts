/**
 * ResponseReader: reads along in a provider's bytes, for the trace, while they go to the client.
 *
 * Reading never holds up the passing: a compressed stream is unpacked beside it, and where that falls behind, or there is
 * more than a trace should hold, the response is told of by its size alone. Server-sent events, and the elements of the list that Gemini
 * streams, are put together to the response that the provider would have sent in one piece, with the usage of its last chunk.
 */
import { Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { limits } from "@troupe/protocol";
import { createParser, type EventSourceParser } from "eventsource-parser";
import type { StreamCollector } from "../calls/llm-codec.ts";
import type { ProviderCodec } from "../codecs/codec.ts";
import type { MaybePromise } from "../middleware/invoke.ts";
import { formOfText, isEventStream } from "./answer-form.ts";
import { isLastData } from "./event-frame.ts";
import { ListElements } from "./list-elements.ts";
import { packingOf } from "./packing.ts";

/** What the end event of a call says of its response. */
export interface ToldResponse {
  /** As they were passed on. */
  readonly bytes: number;
  /** The response; null: it is no JSON, is cut, or there is too much of it. */
  readonly content: unknown;
  /** Of a stream: the provider said that it is the whole one. False of an answer that is no JSON, or is cut. */
  readonly complete?: boolean;
  /** Of a stream: what the provider says in it that went wrong. */
  readonly failure?: string | undefined;
  /** Of an answer that is no JSON: what its provider calls it. */
  readonly content_type?: string | undefined;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Reads one response. */
export class ResponseReader {
  readonly #unpacker: Transform | undefined | "unknown";
  readonly #text: TextReader;
  readonly #unpacked: Promise<void> | undefined;
  #bytes = 0;
  #gaveUp = false;

  constructor(headers: Headers, codec: ProviderCodec) {
    const { "content-type": type } = headers;
    this.#text = isEventStream(type) ? new EventText(codec.collectStream()) : new JsonText(codec, type);
    const packing = packingOf(headers["content-encoding"]);
    this.#unpacker = typeof packing === "object" ? packing.unpacker() : packing;
    this.#unpacked = this.#readFrom(this.#unpacker);
  }

  /** Takes the next bytes. Never throws: what can't be read is told of by its size. */
  read(chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    this.#readAlong(chunk);
  }

  /** Behind the last byte, or where the stream was cut. At once where there is nothing to unpack. */
  told(): MaybePromise<ToldResponse> {
    if (this.#unpacked === undefined) return this.#told();
    if (this.#unpacker instanceof Transform) this.#unpacker.end();
    return this.#unpacked.then(() => this.#told());
  }

  #told(): ToldResponse {
    const told = this.#gaveUp || this.#unpacker === "unknown" ? { content: null } : this.#text.told();
    return { bytes: this.#bytes, ...told };
  }

  #readAlong(chunk: Buffer): void {
    if (this.#gaveUp || this.#unpacker === "unknown") return;
    if (this.#unpacker === undefined) this.#read(chunk);
    else if (this.#unpacker.writableLength > limits.gatewayReadBytes) this.#giveUp();
    else this.#unpacker.write(chunk);
  }

  #read(chunk: Buffer): void {
    if (!this.#gaveUp && !this.#text.add(chunk)) this.#giveUp();
  }

  #giveUp(): void {
    this.#gaveUp = true;
    if (this.#unpacker instanceof Transform) this.#unpacker.destroy();
  }

  /** Settles when everything is unpacked, or can't be. */
  #readFrom(unpacker: Transform | undefined | "unknown"): Promise<void> | undefined {
    if (!(unpacker instanceof Transform)) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    unpacker.on("data", (chunk: Buffer) => this.#read(chunk));
    unpacker.once("error", () => this.#giveUp());
    unpacker.once("close", resolve);
    return promise;
  }
}

/** Reads text. */
interface TextReader {
  /** False: it is too much, or none that can be read. */
  add(chunk: Buffer): boolean;
  told(): Omit<ToldResponse, "bytes">;
}

class JsonText implements TextReader {
  readonly #codec: ProviderCodec;
  readonly #type: Headers[string];
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(codec: ProviderCodec, type: Headers[string]) {
    this.#codec = codec;
    this.#type = type;
  }

  add(chunk: Buffer): boolean {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > limits.gatewayReadBytes) return false;
    this.#chunks.push(chunk);
    return true;
  }

  told() {
    const [first, ...more] = this.#chunks;
    const bytes = first !== undefined && more.length === 0 ? first : Buffer.concat(this.#chunks);
    const text = bytes.toString("utf8");
    const form = formOfText(text);
    if (form === "list") return this.#asList(text);
    const content = parsed(text);
    // Nothing at all is a short answer, and null is JSON.
    if (content !== null || bytes.length <= "null".length) return { content };
    // Its client, which asked for a stream, reads it as one whatever it is called.
    if (form === "events") return this.#asEvents(bytes);
    return { content, complete: false, content_type: this.#type === undefined ? undefined : `${this.#type}` };
  }

  #asList(text: string) {
    const collector = this.#codec.collectStream();
    const elements = new ListElements((json) => collector.add(JSON.parse(json)));
    try {
      elements.add(text);
      const isClosed = elements.last !== undefined;
      const told = ofCollector(collector, isClosed);
      // Whatever it says: its client can't read it.
      return { ...told, complete: told.complete && isClosed };
    } catch {
      return { content: null, complete: false };
    }
  }

  #asEvents(bytes: Buffer) {
    const events = new EventText(this.#codec.collectStream());
    return events.add(bytes) ? events.told() : { content: null, complete: false };
  }
}

/** So much is read in one go: nothing of most streams before they have ended, and no other request waits long for it. */
const BLOCK = 64 * 1024;

class EventText implements TextReader {
  readonly #collector: StreamCollector;
  readonly #decoder = new StringDecoder("utf8");
  readonly #parser: EventSourceParser;
  #block: Buffer[] = [];
  #blockBytes = 0;
  #bytes = 0;
  #unreadable = false;
  #closed = false;

  constructor(collector: StreamCollector) {
    this.#collector = collector;
    this.#parser = createParser({ onEvent: ({ data }) => this.#add(data) });
  }

  add(chunk: Buffer): boolean {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > limits.gatewayReadBytes) return false;
    this.#block.push(chunk);
    this.#blockBytes += chunk.byteLength;
    if (this.#blockBytes >= BLOCK) this.#read();
    return !this.#unreadable;
  }

  told() {
    this.#read();
    return ofCollector(this.#collector, this.#closed);
  }

  #read(): void {
    const block = this.#block;
    this.#block = [];
    this.#blockBytes = 0;
    for (const chunk of block) this.#parser.feed(this.#decoder.write(chunk));
  }

  #add(data: string): void {
    // Servers that speak as OpenAI's may say that, and not why a choice ends.
    if (isLastData(data)) this.#closed = true;
    // What else is no JSON says nothing.
    const chunk = parsed(data);
    if (chunk === null) return;
    try {
      this.#collector.add(chunk);
    } catch {
      this.#unreadable = true;
    }
  }
}

/** `isClosed`: the provider has said that no chunk follows. */
function ofCollector(collector: StreamCollector, isClosed: boolean) {
  const { response, complete, failure } = collector.end();
  const told = { content: response, complete: complete || (isClosed && failure === undefined) };
  return failure === undefined ? told : { ...told, failure };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
