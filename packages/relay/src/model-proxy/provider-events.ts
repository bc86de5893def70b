/**
 * ProviderEvents: a provider's answer as the chunks that stream intercepts go around: the events of a stream, or the elements of the list
 * that Gemini streams. They are read as fast as they are asked for, and no more of them is held than one chunk may have. An answer that is
 * neither has none: one value in JSON, and what isn't asked to stream or is refused (an error), goes to the client as it is. Of anything else
 * nobody could say what its client reads in it, so it is an error.
 */
import { PassThrough, type Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { createParser } from "eventsource-parser";
import { type ChunkForm, formed, isEventStream } from "./answer-form.ts";
import type { AskedForm } from "./asked-form.ts";
import type { CameChunk } from "./came-chunks.ts";
import { proxyErrors } from "./errors.ts";
import { isLastData, LAST_EVENT } from "./event-frame.ts";
import { EventCheck, oneValue, type Unread } from "./in-one-piece.ts";
import { type ElementEar, ListElements } from "./list-elements.ts";
import { packingOf } from "./packing.ts";
import type { AnswerHead } from "./passage.ts";
import { ProviderAnswer } from "./provider-answer.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";

/** What an answer turned out to be; "value": one in JSON, unpacked; "piece": none that is read here. */
export type ToldForm = ChunkForm | "value" | "piece";

/** What is told while they come. */
export interface EventEars {
  readonly signal: AbortSignal;
  /** In which form a stream was asked for. */
  readonly asked: AskedForm;
  /** Told what the answer is; one without chunks has bytes. */
  readonly head: (head: AnswerHead, form: ToldForm) => void;
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
  const answer = ProviderAnswer.to(upstream, request, ears.signal);
  try {
    const head = await answer.head;
    const isTyped = isEventStream(head.headers["content-type"]);
    const isRefusal = head.status >= 300;
    if (isTyped && !isRefusal && ears.asked === "piece") throw proxyErrors.streamUnasked(upstream.name);
    // A refusal is no stream: no client reads it as one, but perhaps where it is called one.
    if (isRefusal && !isTyped) {
      ears.head(head, "piece");
      for await (const part of answer) await ears.bytes(part);
    } else if (ears.asked === "piece") await pieceOf(answer, head, { upstream, ears });
    else yield* streamOf(answer, head, { upstream, ears });
  } finally {
    answer.destroy();
  }
}

interface Asking {
  readonly upstream: Upstream;
  readonly ears: EventEars;
}

async function pieceOf(answer: Readable, head: AnswerHead, { upstream, ears }: Asking): Promise<void> {
  const unread: Unread = (cause) => proxyErrors.upstreamUnread(upstream.name, cause);
  const check = new EventCheck(head.headers["content-encoding"], unread);
  let isTold = false;
  const tell = (): void => {
    if (!isTold) ears.head(head, "piece");
    isTold = true;
  };
  try {
    for await (const part of answer) {
      if (!(await check.passes(part))) throw proxyErrors.streamUnasked(upstream.name);
      tell();
      await ears.bytes(part);
    }
    tell();
  } finally {
    check.close();
  }
}

async function* streamOf(
  answer: Readable,
  head: AnswerHead,
  { upstream, ears }: Asking,
): AsyncGenerator<unknown> {
  const unread: Unread = (cause) => proxyErrors.upstreamUnread(upstream.name, cause);
  const { form, bytes } = await formed(unpacked(answer, head.headers["content-encoding"], unread), head);
  if (form === "value") {
    const value = await oneValue(bytes, unread);
    if (ears.asked === "list" && value.length > 0) throw unread(new Error("it is no list"));
    ears.head(head, form);
    return await ears.bytes(value);
  }
  ears.head(head, form);
  yield* chunksOf(bytes, { form, ears, unread });
}

interface Reading {
  readonly form: ChunkForm;
  readonly ears: EventEars;
  readonly unread: Unread;
}

/** What was read and hasn't been given yet. */
type Read = { readonly chunk: unknown } | { readonly aside: string };

/** Reads text; `end`: there is no more of it. */
interface ChunkReader {
  read(text: string): void;
  end(): void;
}

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
  async function* given(read: () => void): AsyncGenerator<unknown> {
    let failure: Error | undefined;
    try {
      read();
    } catch (cause) {
      failure = TroupeError.is(cause) ? cause : unread(cause);
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
  for await (const part of source) yield* given(() => reader.read(decoder.write(part)));
  yield* given(() => reader.end());
}

function listReader(add: ElementEar, last: EventEars["last"]): ChunkReader {
  const elements = new ListElements(add);
  return {
    read: (text) => {
      elements.add(text);
      if (elements.last !== undefined) last(elements.last);
    },
    end: () => {},
  };
}

interface EventReading {
  readonly add: ElementEar;
  readonly aside: (text: string) => void;
  readonly last: EventEars["last"];
}

function eventReader({ add, aside, last }: EventReading): ChunkReader {
  const parser = createParser({
    maxBufferSize: limits.gatewayChunkCharacters,
    onError: ({ type }) => {
      if (type === "max-buffer-size-exceeded") throw proxyErrors.chunkTooLong(limits.gatewayChunkCharacters);
    },
    onComment: (text) => aside(`: ${inOneLine(text)}\n\n`),
    onRetry: (ms) => aside(`retry: ${ms}\n\n`),
    onEvent: ({ data, event, id }) => {
      if (isLastData(data)) return last(LAST_EVENT);
      const before = line("event", event) + line("id", id);
      // No event, to who reads them: it keeps the connection alive.
      if (data === "") return aside(`${before}data:\n\n`);
      add(data, before);
    },
  });
  // Many clients read lines, and need no empty one behind the last.
  return { read: (text) => parser.feed(text), end: () => parser.feed("\n\n") };
}

function line(field: string, value: string | undefined): string {
  return value === undefined ? "" : `${field}: ${inOneLine(value)}\n`;
}

/** What some readers take for an end of a line would be one of its own to them, which no intercept was shown. */
function inOneLine(text: string): string {
  return text.replaceAll(/(?!\t)[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
}

function unpacked(answer: Readable, encoding: string | undefined, unread: Unread): Readable {
  const packing = packingOf(encoding);
  if (packing === "unknown") throw unread(new Error(`its encoding is ${encoding}`));
  if (packing === undefined) return answer;
  const unpacker = packing.unpacker();
  const source = new PassThrough();
  let isEmpty = true;
  answer.once("data", () => (isEmpty = false));
  answer.on("error", (cause) => source.destroy(cause));
  // Nothing at all is packed in no way.
  unpacker.on("error", (cause) => (isEmpty ? source.end() : source.destroy(unread(cause))));
  return answer.pipe(unpacker).pipe(source);
}
