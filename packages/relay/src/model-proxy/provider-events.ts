/**
 * ProviderEvents: a provider's answer as the chunks that stream intercepts go around. They are read as fast as they are asked for. An answer
 * that is no stream of events (a refusal, an error) has none: its bytes go to the client as they are.
 */
import { PassThrough, type Readable, Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import { LAST_DATA } from "./event-stream.ts";
import { type AnswerHead, pass } from "./passage.ts";
import { unpackerOf } from "./response-reader.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";

/** What is told while they come. */
export interface EventEars {
  readonly signal: AbortSignal;
  /** True: chunks are wanted of it; its bytes are, else. */
  readonly head: (head: AnswerHead) => void;
  /** The next bytes of an answer that has no chunks. */
  readonly bytes: (bytes: Buffer) => Promise<void>;
  /** The provider has said its last word. */
  readonly last: () => void;
}

/** The chunks of one request. Throws what the upstream throws. */
export async function* providerEvents(
  upstream: Upstream,
  request: UpstreamRequest,
  { signal, head, bytes, last }: EventEars,
): AsyncGenerator<unknown> {
  const sink = new Sink();
  const { promise, resolve, reject } = Promise.withResolvers<AnswerHead>();
  pass(upstream, request, {
    response: sink,
    signal,
    head: (known) => {
      head(known);
      resolve(known);
      return [];
    },
  }).catch((cause: Error) => {
    reject(cause);
    sink.destroy(cause);
  });
  // It may fail when nobody reads any more.
  sink.on("error", () => {});
  try {
    const { headers } = await promise;
    if (hasEvents({ headers })) yield* chunksOf(unpacked(sink, headers["content-encoding"]), last);
    else for await (const part of sink) await bytes(part);
  } finally {
    sink.destroy();
  }
}

/** True for a stream of events. */
export function hasEvents({ headers }: Pick<AnswerHead, "headers">): boolean {
  return /^text\/event-stream\b/i.test(headers["content-type"] ?? "");
}

async function* chunksOf(source: Readable, last: () => void): AsyncGenerator<unknown> {
  const decoder = new StringDecoder("utf8");
  let chunks: unknown[] = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === LAST_DATA) last();
      else chunks.push(JSON.parse(data));
    },
  });
  for await (const part of source) {
    parser.feed(decoder.write(part));
    const known = chunks;
    chunks = [];
    yield* known;
  }
}

function unpacked(sink: Readable, encoding: string | undefined): Readable {
  const unpacker = unpackerOf(encoding);
  if (unpacker === "unknown") throw new Error(`a stream in ${encoding} can't be read`);
  if (!(unpacker instanceof Transform)) return sink;
  sink.on("error", (cause) => unpacker.destroy(cause));
  return sink.pipe(unpacker);
}

/** Takes an answer as a client would. */
class Sink extends PassThrough {
  writeHead(): this {
    return this;
  }

  flushHeaders(): void {}
}
