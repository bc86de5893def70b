/**
 * Answer form: whether an answer is a stream, and in which form, by what it says of itself or else by how it begins: a client that asked for a
 * stream reads it as one whatever it is called. The same for those who go around its chunks and for the trace.
 */
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { limits } from "@troupe/protocol";
import type { AnswerHead } from "./passage.ts";

/** In which form an answer has chunks. */
export type ChunkForm = "events" | "list";

/** An answer, and what it turned out to be; "value": no stream, but perhaps one value in JSON. */
export interface FormedAnswer {
  readonly form: ChunkForm | "value";
  /** All of its bytes, as they come. */
  readonly bytes: Readable;
}

const eventStream = /^text\/event-stream\b/i;
/** How a stream of events begins. */
const asEvents = /^(?:event|data|id|retry)?:/;
/** Of these, of the longest. */
const CHARACTERS = "event:".length;

/** True of what calls itself a stream of events. */
export function isEventStream(type: unknown): boolean {
  return eventStream.test(String(type ?? ""));
}

/** By how a text begins, behind a mark of its byte order and spaces; undefined: it is no stream. */
export function formOfText(text: string): ChunkForm | undefined {
  const begin = text.trimStart();
  // No provider's answer in one piece is a list.
  if (begin.startsWith("[")) return "list";
  return asEvents.test(begin) ? "events" : undefined;
}

/** Settles when enough of it is here; `bytes`: unpacked. Throws what they do. */
export async function formed(bytes: Readable, { headers, status }: AnswerHead): Promise<FormedAnswer> {
  const isTyped = isEventStream(headers["content-type"]);
  // Its first event may be long in coming, and its head goes on before.
  if (isTyped && status < 300) return { form: "events", bytes };
  const begin = new Beginning(isTyped);
  const rest: AsyncIterator<Buffer> = bytes[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  for (let part = await rest.next(); part.done !== true; part = await rest.next()) {
    held.push(part.value);
    begin.add(part.value);
    if (begin.isKnown) break;
  }
  const all = Readable.from(following(held, rest), { objectMode: false });
  // It may fail when nobody reads any more.
  all.on("error", () => {});
  return { form: begin.form ?? "value", bytes: all };
}

async function* following(held: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* held;
  for (let part = await rest.next(); part.done !== true; part = await rest.next()) yield part.value;
}

/** The first characters of an answer. */
class Beginning {
  /** A refusal that calls itself a stream of events is one, unless it is an object in JSON, as some servers send their errors. */
  readonly #isTyped: boolean;
  readonly #decoder = new StringDecoder("utf8");
  #text = "";
  #read = 0;

  constructor(isTyped: boolean) {
    this.#isTyped = isTyped;
  }

  get form(): ChunkForm | undefined {
    if (this.#isTyped) return this.#text.startsWith("{") ? undefined : "events";
    return formOfText(this.#text);
  }

  /** More of it would say no more. So many blanks as nobody reads them are no stream. */
  get isKnown(): boolean {
    if (this.#isTyped) return this.#text !== "";
    const isLong = this.#text.length >= CHARACTERS || this.#read > limits.gatewayReadBytes;
    return isLong || this.form !== undefined;
  }

  add(bytes: Buffer): void {
    this.#read += bytes.length;
    this.#text = (this.#text + this.#decoder.write(bytes)).trimStart();
  }
}
