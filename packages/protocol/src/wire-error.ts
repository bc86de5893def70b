/**
 * Errors on their way to a remote caller and back.
 */
import { TroupeError } from "@troupe/base";
import type { WireError } from "./client/v1/frames.ts";
import { cloneValue } from "./values/clone.ts";
import { isRecord, troupeError } from "./values/error-value.ts";

/**
 * What a remote caller may know of `error`. One that isn't public, or isn't a TroupeError, becomes `internal.error`
 * "Internal error", unless `expose` (for a development server): then its message is told. `logId`, which finds the
 * real error in the log, goes into the metadata of `internal.error`. Metadata that can't be sent is left out.
 */
export function toWireError(error: unknown, expose: boolean, logId?: string): WireError {
  if (TroupeError.is(error) && (error.public || expose)) {
    const metadata = sendable(error.metadata);
    const { group, code, message, retryable } = error;
    const wire = { group: `${group}`, code: `${code}`, message: `${message}`, retryable: retryable === true };
    return metadata === undefined ? wire : { ...wire, metadata };
  }
  const message = expose && error instanceof Error ? `${error.message}` : "Internal error";
  const wire = { group: "internal", code: "error", message, retryable: false };
  return logId === undefined ? wire : { ...wire, metadata: { id: logId } };
}

/** The error that a caller gets for `wire`: a UserError for group `user`. */
export function fromWireError(wire: WireError): TroupeError {
  const { group, code, message, metadata, retryable } = wire;
  return troupeError({
    group,
    code,
    message,
    retryable,
    metadata: isRecord(metadata) ? metadata : undefined,
  });
}

/** A user's metadata may hold anything; an error about an error would tell nobody anything. */
function sendable(metadata: unknown): unknown {
  try {
    return cloneValue(metadata);
  } catch {
    return undefined;
  }
}
