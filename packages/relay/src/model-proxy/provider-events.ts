/**
 * ProviderEvents: a provider's answer as the chunks that stream intercepts go around: the events of a stream, or the elements of the list
 * that Gemini streams. They are read as fast as they are asked for. An answer that is neither (a refusal, an error) has none: its bytes go
 * to the client as they are.
 */
import { PassThrough, type Readable, Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { createParser } from "eventsource-parser";
import { type ChunkForm, formed } from "./answer-form.ts";
import type { CameChunk } from "./came-chunks.ts";
import { proxyErrors } from "./errors.ts";
import { isLastData, LAST_EVENT } from "./event-frame.ts";
import { type ElementEar, ListElements } from "./list-elements.ts";
import { type AnswerHead, pass } from "./passage.ts";
import { unpackerOf } from "./unpacker.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";

/** What is told while they come. */
export interface EventEars {
  readonly signal: AbortSignal;
  /** In which form a stream was asked for. */
  readonly asked: ChunkForm;
  /** Told what the answer is; without a form it has bytes, and no chunks. */
  readonly head: (head: AnswerHead, form: ChunkForm | undefined) => void;
  /** What stands between events and is none (comments, retries), in its place; nothing of it is a chunk. */
  readonly aside: (text: string) => Promise<void>;
  /** A chunk as it came, before it is given. */
  readonly came: (chunk: unknown, came: CameChunk) => void;
  /** The next bytes of an answer that has no chunks. */
  readonly bytes: (bytes: Buffer) => Promise<void>;
  /** The provider has said its last word. */
  readonly last: (text: string) => void;
}

/** The chunks of one request. Throws what the upstream throws. */
export async function* providerEvents(
  upstream: Upstream,
  request: UpstreamRequest,
  ears: EventEars,
): AsyncGenerator<unknown> {
  const sink = new Sink();
  const { promise, resolve, reject } = Promise.withResolvers<AnswerHead>();
  pass(upstream, request, {
    response: sink,
    // Its reader hears the reason, and not that it has ended.
    cut: (cause) => sink.destroy(cause instanceof Error ? cause : new Error("the answer was cut", { cause })),
    signal: ears.signal,
    head: (known) => {
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
    const head = await promise;
    const unread = (cause: unknown): Error => proxyErrors.upstreamUnread(upstream.name, cause);
    const { form, bytes } = await formed(sink, head, { asked: ears.asked, unread });
    ears.head(head, form);
    const { "content-encoding": encoding } = head.headers;
    if (form !== undefined) yield* chunksOf(unpacked(bytes, encoding, unread), { form, ears, unread });
    else for await (const part of bytes) await ears.bytes(part);
  } finally {
    sink.destroy();
  }
}

interface Reading {
  readonly form: ChunkForm;
  readonly ears: EventEars;
  /** The error for what isn't JSON, or isn't packed as it says. */
  readonly unread: (cause: unknown) => Error;
}

/** What was read and hasn't been given yet. */
type Read = { readonly chunk: unknown } | { readonly aside: string };

async function* chunksOf(source: Readable, { form, ears, unread }: Reading): AsyncGenerator<unknown> {
  const decoder = new StringDecoder("utf8");
  let came: Read[] = [];
  const add = (json: string, before: string): void => {
    const chunk = JSON.parse(json);
    ears.came(chunk, { json, before });
    came.push({ chunk });
  };
  const aside = (text: string): void => void came.push({ aside: text });
  const reader = form === "list" ? listReader(add, ears.last) : eventReader({ add, aside, last: ears.last });
  for await (const part of source) {
    let failure: Error | undefined;
    try {
      reader(decoder.write(part));
    } catch (cause) {
      failure = unread(cause);
    }
    const known = came;
    came = [];
    for (const one of known) {
      if ("aside" in one) await ears.aside(one.aside);
      else yield one.chunk;
    }
    // Behind what is good, however it was cut into parts on its way.
    if (failure !== undefined) throw failure;
  }
}

function listReader(add: ElementEar, last: EventEars["last"]): (text: string) => void {
  const elements = new ListElements(add);
  return (text) => {
    elements.add(text);
    if (elements.last !== undefined) last(elements.last);
  };
}

interface EventReading {
  readonly add: ElementEar;
  readonly aside: (text: string) => void;
  readonly last: EventEars["last"];
}

function eventReader({ add, aside, last }: EventReading): (text: string) => void {
  const parser = createParser({
    onComment: (text) => aside(`: ${text}\n\n`),
    onRetry: (ms) => aside(`retry: ${ms}\n\n`),
    onEvent: ({ data, event, id }) => {
      if (isLastData(data)) return last(LAST_EVENT);
      add(data, `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}`);
    },
  });
  return (text) => parser.feed(text);
}

function unpacked(sink: Readable, encoding: string | undefined, unread: Reading["unread"]): Readable {
  const unpacker = unpackerOf(encoding);
  if (unpacker === "unknown") throw unread(new Error(`its encoding is ${encoding}`));
  if (!(unpacker instanceof Transform)) return sink;
  const source = new PassThrough();
  let isEmpty = true;
  sink.once("data", () => (isEmpty = false));
  sink.on("error", (cause) => source.destroy(cause));
  // Nothing at all is packed in no way.
  unpacker.on("error", (cause) => (isEmpty ? source.end() : source.destroy(unread(cause))));
  return sink.pipe(unpacker).pipe(source);
}

/** Takes an answer as a client would. */
class Sink extends PassThrough {
  writeHead(): this {
    return this;
  }

  flushHeaders(): void {}
}
