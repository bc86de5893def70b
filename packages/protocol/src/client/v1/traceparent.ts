/** The W3C `traceparent`: whose trace a request belongs to, as tracers of every make say it. */

/** The header. */
export const TRACEPARENT_HEADER = "traceparent";

/** What a `traceparent` says. */
export interface Traceparent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span that the request is a part of. */
  readonly spanId: string;
}

/** Undefined for a text that isn't one: whoever gets such a thing goes on as if there were none. */
export function parseTraceparent(text: unknown): Traceparent | undefined {
  if (typeof text !== "string" || text.length > LONGEST) return undefined;
  const [, version, traceId, spanId, more] = SHAPE.exec(text) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined) return undefined;
  if (version === "ff" || NOTHING.test(traceId) || NOTHING.test(spanId)) return undefined;
  // Later versions may say more behind it; this one says nothing.
  if (version === "00" && more !== "") return undefined;
  return { traceId, spanId };
}

const SHAPE = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(|-.*)$/;
const NOTHING = /^0+$/;
const LONGEST = 512;
