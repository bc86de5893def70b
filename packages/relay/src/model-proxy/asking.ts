/** Asking: which requests may ask a model, by what is known of them before they are sent. */
import type { IncomingMessage } from "node:http";
import { hasBody } from "./pass-through.ts";

/** A browser asks by OPTIONS what a page may ask: its answer is the provider's. */
const reading: ReadonlySet<string | undefined> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Counts of tokens, as agents ask for them all the time. */
const counts =
  /(?:\/messages\/count_tokens|\/responses\/input_tokens|:countTokens|\/count-tokens:rawPredict)$/i;

/** True for no model call, wherever it goes: at the path of one some providers list what they have stored. */
export function onlyReads(request: IncomingMessage): boolean {
  return reading.has(request.method) && !hasBody(request);
}

/** True for what may ask a model: all that doesn't only read or count. */
export function mayAsk(path: string, request: IncomingMessage): boolean {
  return !onlyReads(request) && !counts.test(path);
}
