/**
 * Errors of dynamic actors, by `group.code`.
 */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";
import { InnerError } from "../../inner-error.ts";
import type { IsolateEnd } from "./wire.ts";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("dynamic", code, message, { statusCode: 502, ...options });
}

/** Group `dynamic`: what is wrong with a source, or became of its isolate. */
export const dynamicErrors = {
  badOption: (why: string) => error("bad_option", `dynamicActor can't be made: ${why}`, { statusCode: 500 }),
  sourceTooLong: (bytes: number, limit: number) =>
    error("source_too_long", `The source has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  /** The program's own `load` threw. */
  loaderFailed: (cause: unknown) =>
    error("loader_failed", "The loader of the actor's source failed", { cause, public: false }),
  /** Where it is may be nobody else's business: callers outside aren't told. */
  sourceUnread: (source: URL, why: string, cause?: unknown) =>
    error("source_unread", `The actor's source at ${withoutSecrets(source)} can't be read: ${why}`, {
      cause,
      public: false,
    }),
  integrityMismatch: (expected: string, actual: string) =>
    error(
      "integrity_mismatch",
      `The actor's source has the SHA-256 ${actual}, and the definition says ${expected}`,
    ),
  /** The isolate process is gone, and with it all that its actors hadn't said. What they were asked may have happened. */
  processLost: () => error("process_lost", "The process that ran this actor ended"),
  /** The actor has ended that process several times. */
  heldBack: (retryAfterMs: number) =>
    error(
      "process_lost",
      "The process that ran this actor ended, again, and this actor waits for a new one",
      {
        statusCode: 503,
        metadata: { retryAfterMs },
      },
    ),
  closed: () => error("closed", "The runtime of this actor has ended", { statusCode: 503 }),
  /** The isolate ended by itself: a fault of the source, or a limit. */
  ended: ({ code, message, thrown, place }: IsolateEnd) => {
    const where = place === undefined ? "" : ` (line ${place.line}, column ${place.column})`;
    const told = error(code, `${message}${where}`, {
      ...(place && { metadata: { line: place.line, column: place.column } }),
      public: code !== "failed",
    });
    // What the source itself threw is for the log, as with any actor's error.
    return thrown === undefined ? told : new InnerError(told, { message: `${message}: ${thrown}${where}` });
  },
};

/** A password or a query may be what opens it. */
function withoutSecrets({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`;
}
