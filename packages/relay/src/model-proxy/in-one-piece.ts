/**
 * In one piece: answers without chunks, where stream intercepts are there to see those of a stream. What goes on as it is mustn't be what its
 * client reads as a stream all the same: then it would have what no intercept was shown.
 */

import type { Transform } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { limits } from "@troupe/protocol";
import { proxyErrors } from "./errors.ts";
import { packingOf } from "./packing.ts";

/** The error for what isn't JSON, or isn't packed as it says. */
export type Unread = (cause: unknown) => Error;

const BYTE_ORDER_MARK = /^\uFEFF/;

/** What says something, in bytes as Latin-1: neither blanks, which keep a connection alive, nor a byte order mark. */
const sign = /[^\s\xEF\xBB\xBF]/;
/** How a value in JSON begins. */
const asValue = /[[{"\-\dtfn]/;

/** The answer to a request for a stream that is none: one value in JSON, or nothing. Throws for anything else, which its client may read as events. */
export async function oneValue(bytes: AsyncIterable<Buffer>, unread: Unread): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  let begun = false;
  for await (const part of bytes) {
    parts.push(part);
    length += part.length;
    if (length > limits.gatewayChunkCharacters) throw proxyErrors.chunkTooLong(limits.gatewayChunkCharacters);
    const first: string | undefined = begun ? undefined : sign.exec(part.toString("latin1"))?.[0];
    begun ||= first !== undefined;
    if (first !== undefined && !asValue.test(first)) break;
  }
  const whole = Buffer.concat(parts);
  const text = textOf(whole);
  if (text.trim() === "") return whole;
  try {
    JSON.parse(text);
  } catch {
    throw unread(new Error("it is neither events nor JSON"));
  }
  return whole;
}

function textOf(bytes: Buffer): string {
  return bytes.toString("utf8").replace(BYTE_ORDER_MARK, "");
}

/** Of an answer in one piece, as it comes: finds what a reader of events would take for one. No JSON has such a line. */
export class EventCheck {
  readonly #decoder = new StringDecoder("utf8");
  readonly #unpacker: Transform | undefined;
  readonly #unread: Unread;
  readonly #broken = Promise.withResolvers<never>();
  /** Of the line that hasn't ended. */
  #line = "";
  #found = false;

  constructor(encoding: string | undefined, unread: Unread) {
    this.#unread = unread;
    const packing = packingOf(encoding);
    if (packing === "unknown") throw unread(new Error(`its encoding is ${encoding}`));
    this.#unpacker = packing?.unpacker();
    this.#unpacker?.on("data", (bytes: Buffer) => this.#read(bytes));
    // A write into what has failed is never answered.
    this.#unpacker?.on("error", (cause) => this.#broken.reject(cause));
    this.#broken.promise.catch(() => {});
  }

  /** False: here is one, at the latest. Throws for what isn't packed as it says. */
  async passes(bytes: Buffer): Promise<boolean> {
    if (this.#unpacker === undefined) this.#read(bytes);
    else await this.#unpack(this.#unpacker, bytes);
    return !this.#found;
  }

  close(): void {
    this.#unpacker?.destroy();
  }

  async #unpack(unpacker: Transform, bytes: Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    unpacker.write(bytes, (cause) => (cause ? reject(cause) : resolve()));
    await Promise.race([promise, this.#broken.promise]).catch((cause: unknown) => {
      throw this.#unread(cause);
    });
  }

  #read(bytes: Buffer): void {
    const text = this.#line + this.#decoder.write(bytes);
    this.#found ||= dataLine.test(text);
    const begin = Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
    this.#line = text.slice(begin).trimStart().slice(0, CHARACTERS);
  }
}

/** Also as readers that trim their lines know it. Not behind U+2028: a text in JSON may have that. */
const dataLine = /(?:^|[\r\n])[\t \uFEFF\0]*data[\t ]*:/i;
/** Of a line, so many say whether it is one. */
const CHARACTERS = 64;
