/**
 * Streams of one session, either end: the same for host and plugin.
 *
 *   reader   next() ──▶ ChunkCredit(1)          writer   Chunk, or ChunkEnd
 *   reader   return() ──▶ ChunkCredit(0)        writer   the iterator's return(), and not a word more
 *
 * Nothing is read ahead: a chunk is asked of whoever makes it when its reader asks. A stream belongs to one call of middleware,
 * and ends with it. What comes for a stream that has ended is late and dropped; a chunk without a credit shows that the other
 * side lost count.
 */
import {
  type CarriedError,
  decodePayload,
  encodePayload,
  fromCarriedError,
  type PayloadEncoding,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import type { Chunk, ChunkCredit, ChunkEnd } from "@troupe/protocol/plugin/v1";
import { pluginErrors } from "../errors.ts";
import type { GivenFailures } from "./given-failures.ts";

/** What the two ends say to each other. */
export type ChunkWord =
  | { readonly $case: "chunk"; readonly value: Chunk }
  | { readonly $case: "chunkEnd"; readonly value: ChunkEnd }
  | { readonly $case: "chunkCredit"; readonly value: ChunkCredit };

/** Which stream: `next` 0 is what the middleware answered. */
export interface StreamName {
  readonly invoke: number;
  readonly next: number;
}

/** What became of a word. */
export type ChunkHeard = "taken" | "late" | "uncredited";

/** All streams of one session. */
export class ChunkStreams {
  readonly #encoding: PayloadEncoding;
  readonly #send: (word: ChunkWord) => void;
  readonly #given: GivenFailures | undefined;
  readonly #readers = new Map<string, Reader>();
  readonly #writers = new Map<string, Writer>();

  /** `given`: at the host's end, what the plugin is told of. */
  constructor(encoding: PayloadEncoding, send: (word: ChunkWord) => void, given?: GivenFailures) {
    this.#encoding = encoding;
    this.#send = send;
    this.#given = given;
  }

  /** A stream that the other side writes. `ended` is called once, when it is over in whatever way. */
  read(name: StreamName, ended: () => void = () => {}): AsyncIterableIterator<unknown> {
    const key = keyOf(name);
    const reader = new Reader(
      (chunks) => this.#send({ $case: "chunkCredit", value: { ...name, chunks } }),
      () => {
        this.#readers.delete(key);
        ended();
      },
    );
    this.#readers.set(key, reader);
    return reader;
  }

  /** Writes a stream as its reader asks for it; settles when it is over. Never rejects. */
  async write(name: StreamName, chunks: AsyncIterable<unknown>): Promise<void> {
    const key = keyOf(name);
    const writer = new Writer(chunks[Symbol.asyncIterator](), {
      chunk: (value) => this.#send({ $case: "chunk", value: { ...name, payload: this.#payloadOf(value) } }),
      end: (error) => {
        const carried = error === undefined ? undefined : toCarriedError(error.cause, this.#encoding);
        if (error !== undefined && carried !== undefined) this.#given?.add(name.invoke, error.cause, carried);
        this.#send({ $case: "chunkEnd", value: { ...name, error: carried } });
      },
    });
    this.#writers.set(key, writer);
    await writer.over;
    this.#writers.delete(key);
  }

  /** The other side said something. */
  heard({ $case, value }: ChunkWord): ChunkHeard {
    const key = keyOf(value);
    if ($case === "chunkCredit") {
      const writer = this.#writers.get(key);
      writer?.credit(value.chunks);
      return writer === undefined ? "late" : "taken";
    }
    const reader = this.#readers.get(key);
    if (reader === undefined) return "late";
    if ($case === "chunkEnd") {
      reader.end(value.error && { cause: this.#failureOf(value.invoke, value.error) });
      return "taken";
    }
    return reader.take(decodePayload(value.payload, this.#encoding)) ? "taken" : "uncredited";
  }

  /** What the plugin can't be shown is nobody's failure, and least of all its own. */
  #payloadOf(chunk: unknown): Uint8Array {
    try {
      return encodePayload(chunk, this.#encoding);
    } catch (cause) {
      throw this.#given === undefined ? cause : pluginErrors.cannotShow(cause);
    }
  }

  #failureOf(invoke: number, error: CarriedError): unknown {
    const given = this.#given?.of(invoke, error);
    return given === undefined ? fromCarriedError(error, this.#encoding) : given.error;
  }

  /** All streams of a call are over: nobody wants them any more, or whoever made them is gone. */
  end(invoke: number, cause: unknown): void {
    for (const key of [...this.#readers.keys()].filter((one) => one.startsWith(`${invoke}/`)))
      this.#readers.get(key)?.end({ cause });
    for (const key of [...this.#writers.keys()].filter((one) => one.startsWith(`${invoke}/`)))
      this.#writers.get(key)?.credit(0);
  }

  /** The session is over. */
  fail(cause: unknown): void {
    for (const reader of [...this.#readers.values()]) reader.end({ cause });
    for (const writer of [...this.#writers.values()]) writer.credit(0);
  }
}

function keyOf({ invoke, next }: StreamName): string {
  return `${invoke}/${next}`;
}

/** In an object, for `undefined` may be thrown. */
interface Failure {
  readonly cause: unknown;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<unknown>) => void;
  readonly reject: (cause: unknown) => void;
}

const DONE: IteratorResult<unknown> = { done: true, value: undefined };

class Reader implements AsyncIterableIterator<unknown> {
  readonly #credit: (chunks: number) => void;
  readonly #ended: () => void;
  readonly #waiting: Waiting[] = [];
  #over = false;
  /** It failed while nobody read: whoever reads next is told. */
  #untold: Failure | undefined;

  constructor(credit: (chunks: number) => void, ended: () => void) {
    this.#credit = credit;
    this.#ended = ended;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<unknown>>();
    if (!this.#over) {
      this.#waiting.push({ resolve, reject });
      this.#credit(1);
      return promise;
    }
    const untold = this.#untold;
    this.#untold = undefined;
    if (untold === undefined) resolve(DONE);
    else reject(untold.cause);
    return promise;
  }

  return(): Promise<IteratorResult<unknown>> {
    if (!this.#over) {
      this.#credit(0);
      this.end(undefined);
    }
    return Promise.resolve(DONE);
  }

  /** False: nobody had asked. */
  take(value: unknown): boolean {
    const waiting = this.#waiting.shift();
    waiting?.resolve({ done: false, value });
    return waiting !== undefined;
  }

  end(failure: Failure | undefined): void {
    if (this.#over) return;
    this.#over = true;
    const [first, ...others] = this.#waiting.splice(0);
    if (failure === undefined) first?.resolve(DONE);
    else if (first === undefined) this.#untold = failure;
    else first.reject(failure.cause);
    for (const other of others) other.resolve(DONE);
    this.#ended();
  }
}

interface Says {
  readonly chunk: (value: unknown) => void;
  readonly end: (error: Failure | undefined) => void;
}

class Writer {
  readonly #chunks: AsyncIterator<unknown>;
  readonly #says: Says;
  readonly #over = Promise.withResolvers<void>();
  #credits = 0;
  #busy = false;
  #stopped = false;

  constructor(chunks: AsyncIterator<unknown>, says: Says) {
    this.#chunks = chunks;
    this.#says = says;
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  credit(chunks: number): void {
    if (chunks === 0) return this.#stop();
    this.#credits += chunks;
    if (!this.#busy && !this.#stopped) void this.#go();
  }

  async #go(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#credits > 0 && !this.#stopped) {
        this.#credits -= 1;
        const result = await this.#chunks.next();
        if (this.#stopped) return;
        if (result.done === true) return this.#end(undefined);
        this.#says.chunk(result.value);
      }
    } catch (cause) {
      if (!this.#stopped) this.#end({ cause });
    } finally {
      this.#busy = false;
    }
  }

  #end(failure: Failure | undefined): void {
    this.#stopped = true;
    this.#says.end(failure);
    this.#over.resolve();
  }

  /** The iterator is told, and what it does about it is its own affair. */
  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#over.resolve();
    Promise.resolve(this.#chunks.return?.()).catch(() => {});
  }
}

/** Checks what should be a stream. Throws `plugin.not_a_stream`. */
export function streamOf(value: unknown, whose: string): AsyncIterable<unknown> {
  const isStream = typeof value === "object" && value !== null && Symbol.asyncIterator in value;
  if (!isStream) throw pluginErrors.notAStream(whose);
  return value as AsyncIterable<unknown>;
}
