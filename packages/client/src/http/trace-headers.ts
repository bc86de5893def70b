import { parseTraceparent, TRACEPARENT_HEADER } from "@troupe/protocol";

/** Says what goes on where a call is made, as a W3C `traceparent`; undefined for nothing. */
export type TraceparentSource = () => string | undefined;

/** The header of one request. What isn't a `traceparent` isn't sent: no call fails for its trace. */
export function traceHeaders(source: TraceparentSource | undefined): Readonly<Record<string, string>> {
  const traceparent = source?.();
  return parseTraceparent(traceparent) === undefined ? {} : { [TRACEPARENT_HEADER]: `${traceparent}` };
}
