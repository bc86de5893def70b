/** What user code returns that comes in pieces: its code goes on when it has returned. */
import { isResponse } from "./answer-body.ts";

/** True for a result that comes in items. */
export function isFlow(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof value[Symbol.asyncIterator] === "function"
  );
}

/** True for a result that comes in items, and for an answer with a body. Never throws, whatever is looked at. */
export function comesInPieces(value: unknown): boolean {
  try {
    return isFlow(value) || (isResponse(value) && value.body !== null);
  } catch {
    return false;
  }
}
