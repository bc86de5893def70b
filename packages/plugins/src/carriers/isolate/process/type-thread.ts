/** The thread of the type stripper: each source that comes is answered, in order. */
import { stripTypeScriptTypes } from "node:module";
import { parentPort } from "node:worker_threads";
import type { Place } from "../wire.ts";
import type { StrippedSource } from "./type-stripper.ts";

// Node says once of what it is used for here that it is new.
process.removeAllListeners("warning");

parentPort?.on("message", (source: string) => parentPort?.postMessage(stripped(source)));

function stripped(source: string): StrippedSource {
  try {
    return { text: stripTypeScriptTypes(source) };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) return { broken: String(cause).split("\n")[0] ?? "" };
    return { wrong: `SyntaxError: ${cause.message}`, place: placeOf(cause.stack ?? "") };
  }
}

/** Node puts it before the trace: `:line`, then the line, or those up to it, and below what is wrong in it carets. */
function placeOf(stack: string): Place | undefined {
  const line = Number(/^:(\d+)$/m.exec(stack)?.[1]);
  const carets = /^( *)\^+$/m.exec(stack)?.[1];
  return line > 0 && carets !== undefined ? { line, column: carets.length + 1 } : undefined;
}
