/**
 * Answer form: whether an answer is a stream, and in which form, by what it says of itself or else by how it begins: a client that asked for a
 * stream reads it as one whatever it is called. The same for those who go around its chunks and for the trace.
 */
import { Readable, type Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { limits } from "@troupe/protocol";
import type { AnswerHead } from "./passage.ts";
import { unpackerOf } from "./unpacker.ts";

/** In which form an answer has chunks. */
export type ChunkForm = "events" | "list";

/** An answer, and what it turned out to be; undefined: no stream. */
export interface FormedAnswer {
  readonly form: ChunkForm | undefined;
  /** All of its bytes, as they come. */
  readonly bytes: Readable;
}

/** How an answer is read. */
export interface AnswerReading {
  /** In which form a stream was asked for. */
  readonly asked: ChunkForm;
  /** The error for what isn't packed as it says. */
  readonly unread: (cause: unknown) => Error;
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

/** Settles when enough of it is here. Throws what `bytes` do, and for what can't be unpacked. */
export async function formed(
  bytes: Readable,
  { status, headers }: AnswerHead,
  { asked, unread }: AnswerReading,
): Promise<FormedAnswer> {
  if (isEventStream(headers["content-type"])) return { form: "events", bytes };
  // A refusal is none: no client reads it as a stream.
  if (status >= 300) return { form: undefined, bytes };
  const begin = new Beginning(headers["content-encoding"], unread);
  const rest: AsyncIterator<Buffer> = bytes[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  for (let part = await rest.next(); part.done !== true; part = await rest.next()) {
    held.push(part.value);
    await begin.add(part.value);
    if (begin.isKnown) break;
  }
  begin.close();
  const all = Readable.from(following(held, rest), { objectMode: false });
  // It may fail when nobody reads any more.
  all.on("error", () => {});
  return { form: begin.form ?? (asked === "list" ? "list" : undefined), bytes: all };
}

async function* following(held: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield* held;
  for (let part = await rest.next(); part.done !== true; part = await rest.next()) yield part.value;
}

/** The first characters of an answer, unpacked. */
class Beginning {
  readonly #decoder = new StringDecoder("utf8");
  readonly #unpacker: Transform | undefined;
  readonly #unread: AnswerReading["unread"];
  #text = "";
  #read = 0;

  constructor(encoding: string | undefined, unread: AnswerReading["unread"]) {
    this.#unread = unread;
    const unpacker = unpackerOf(encoding);
    if (unpacker === "unknown") throw unread(new Error(`its encoding is ${encoding}`));
    this.#unpacker = unpacker;
    unpacker?.on("data", (bytes: Buffer) => this.#take(bytes));
    unpacker?.on("error", () => {});
  }

  get form(): ChunkForm | undefined {
    return formOfText(this.#text);
  }

  /** More of it would say no more. So many blanks as nobody reads them are no stream. */
  get isKnown(): boolean {
    const isLong = this.#text.length >= CHARACTERS || this.#read > limits.gatewayReadBytes;
    return isLong || this.form !== undefined;
  }

  async add(bytes: Buffer): Promise<void> {
    const unpacker = this.#unpacker;
    if (unpacker === undefined) return this.#take(bytes);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    unpacker.write(bytes, (cause) => (cause ? reject(this.#unread(cause)) : resolve()));
    await promise;
  }

  close(): void {
    this.#unpacker?.destroy();
  }

  #take(bytes: Buffer): void {
    if (this.isKnown) return;
    this.#read += bytes.length;
    this.#text = (this.#text + this.#decoder.write(bytes)).trimStart();
  }
}
