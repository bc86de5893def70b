/** EventFrame: chunks as server-sent events. A chunk is the JSON of an event; the word behind the last one, which is none, is as it came. */
import { isObject } from "../codecs/json.ts";
import type { ChunkFrame } from "./answer-stream.ts";
import type { CameChunk, TakenChunk } from "./came-chunks.ts";

/** OpenAI's word behind the last chunk. */
export const LAST_DATA = "[DONE]";

/** Its clients look at how it begins. */
export function isLastData(data: string): boolean {
  return data.startsWith(LAST_DATA);
}

/** That word as an event. */
export const LAST_EVENT = `data: ${LAST_DATA}\n\n`;

/** Events. */
export class EventFrame implements ChunkFrame {
  readonly contentType = "text/event-stream";
  readonly last: string;

  /** `last`: what ends a stream that has no provider. */
  constructor(last = "") {
    this.last = last;
  }

  chunk(json: string, chunk: unknown, { same, like }: TakenChunk): string {
    return `${same?.before ?? nameOf(chunk, like)}data: ${json.replaceAll("\n", "\ndata: ")}\n\n`;
  }

  end(last: string): string {
    return last;
  }
}

const itsName = /^event: .*\n/m;

/** A chunk that was changed keeps the name of its event, and one whose type was changed has that. */
function nameOf(chunk: unknown, like: CameChunk | undefined): string {
  const ofType = eventOf(chunk);
  if (like === undefined) return ofType;
  const name = itsName.exec(like.before)?.[0] ?? "";
  return name !== ofType && eventOf(JSON.parse(like.json)) === ofType ? name : ofType;
}

/** A type with an end of a line in it would be an event of its own, which no intercept was shown. */
function eventOf(chunk: unknown): string {
  const type = isObject(chunk) ? chunk["type"] : undefined;
  return typeof type === "string" && !/[\r\n]/.test(type) ? `event: ${type}\n` : "";
}
