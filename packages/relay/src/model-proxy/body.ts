/**
 * Bodies of requests. They are read whole: guardrails are asked before anything goes on. A long one that nobody here has to see goes on
 * while it comes, for held and read it would take several times its length.
 */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { type BodyContent, contentOf, contentOfText, unread } from "./body-content.ts";
import { proxyErrors } from "./errors.ts";
import { type BodyLimits, bytesOfText, HeldBody } from "./held-body.ts";
import { packingOf } from "./packing.ts";

/** A body. */
export interface TakenBody {
  /** As it came; while it comes, that is once, for one that isn't held. */
  readonly bytes: () => Buffer | Readable;
  /** Undefined where it isn't known before its end. */
  readonly length: number | undefined;
  /** As the middleware sees it: unpacked; null where it isn't read. */
  readonly content: unknown;
  /** Of what is read, as it came; see `exact-json.ts`. */
  readonly text: () => string | undefined;
  /** False: nobody here can say what it is. */
  readonly isRead: boolean;
  /** Of a long one: its length, or what had come when it went on and none was said. */
  readonly longBytes: number | undefined;
}

/** The bytes of a body. Throws `gateway.body_too_large`; the rest of it isn't read then. */
export async function readBody(request: Readable, limit: number): Promise<Buffer> {
  const held = new HeldBody({ held: limit, most: limit });
  await read(request, held, { limit });
  return held.whole();
}

/** The body of `request`; as it comes, if it is long and `mayPass` says so when that is known. Throws as `readBody` does. */
export async function takeBody(
  request: IncomingMessage,
  bodyLimits: BodyLimits,
  mayPass: () => boolean,
): Promise<TakenBody> {
  const { "content-length": said, "content-encoding": encoding } = request.headers;
  const { held: most, most: limit } = bodyLimits;
  const length = said === undefined ? undefined : Number(said);
  if (length !== undefined && length > most && length <= limit && mayPass())
    return { bytes: () => request, length, ...unread, longBytes: length };
  const held = new HeldBody(bodyLimits);
  const enough = length === undefined ? () => held.isLong && mayPass() : undefined;
  const isWhole = await read(request, held, { limit, enough, drops: length !== undefined && length > limit });
  if (!isWhole) {
    const longBytes = held.bytes;
    const coming = Readable.from(following(held, request, limit), { objectMode: false });
    return { bytes: () => coming, length: undefined, ...unread, longBytes };
  }
  const text = held.isLong && packingOf(encoding) === undefined ? held.intoText() : undefined;
  // A long text has taken the place of its bytes.
  if (text !== undefined)
    return taken(held.bytes, most, () => bytesOfText(text), contentOfText(text, held.bytes));
  const bytes = held.whole();
  const content = contentOf(bytes, encoding, limit);
  return taken(bytes.length, most, () => bytes, content instanceof Promise ? await content : content);
}

/** Packed or not, it is long where what it says is. */
function taken(
  length: number,
  most: number,
  bytes: TakenBody["bytes"],
  { content, text, isRead, length: readLength }: BodyContent,
): TakenBody {
  const longest = Math.max(length, readLength);
  return { bytes, length, content, text, isRead, longBytes: longest > most ? longest : undefined };
}

interface Reading {
  readonly limit: number;
  /** True when the rest is to stay where it is. */
  readonly enough?: (() => boolean) | undefined;
  /** Nothing of it is wanted: it is read up to its limit, since a client that still sends may not hear an answer. */
  readonly drops?: boolean;
}

/** False: the rest of it is still to come. By events: an iterator of a stream costs more than most bodies. */
function read(
  request: Readable,
  held: HeldBody,
  { limit, enough, drops = false }: Reading,
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let ended = false;
  const end = (isWhole: boolean): void => {
    ended = true;
    resolve(isWhole);
  };
  const whole = (): void => end(true);
  const take = (chunk: Buffer): void => {
    held.add(chunk);
    if (drops) held.drop();
    if (!held.isTooLong && enough?.() !== true) return;
    request.off("data", take).off("end", whole).pause();
    if (held.isTooLong) reject(proxyErrors.bodyTooLarge(limit));
    else end(false);
  };
  // What comes once needs no listener that takes itself away: that costs more than the listener does.
  request.on("data", take);
  request.on("end", whole);
  // Whatever is said of it: its client has left.
  request.on("error", () => reject(proxyErrors.bodyCut()));
  // Behind each end, too: an error takes longer to make than all of this.
  request.on("close", () => ended || reject(proxyErrors.bodyCut()));
  return promise;
}

/** What is held, then the rest of it. Throws `gateway.body_too_large`. */
async function* following(held: HeldBody, request: Readable, limit: number): AsyncGenerator<Buffer> {
  let { bytes } = held;
  yield* held.taken();
  // Its client is to read why nobody took the rest.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > limit) throw proxyErrors.bodyTooLarge(limit);
    yield chunk;
  }
}
