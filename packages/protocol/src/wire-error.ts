/**
 * Errors on their way to a remote caller and back.
 */
import { TroupeError } from "@troupe/base";
import type { WireError } from "./client/v1/frames.ts";
import { bytesPast } from "./client/v1/size.ts";
import { limits } from "./limits.ts";
import { cloneValue } from "./values/clone.ts";
import { isRecord, troupeError } from "./values/error-value.ts";
import { encodeJson } from "./values/json-write.ts";

/**
 * What a remote caller may know of `error`. One that isn't public, isn't a TroupeError, or can't be read at all becomes
 * `internal.error` "Internal error", unless `expose` (for a development server): then its message is told. `logId`, which
 * finds the real error in the log, goes into the metadata of `internal.error`. A message that is too long is cut; metadata
 * that can't be sent, or is too large, is left out. Never throws, whatever `error` is.
 */
export function toWireError(error: unknown, expose: boolean, logId?: string): WireError {
  const told = tellable(error, expose);
  if (told !== undefined) return told;
  const message = expose ? messageOf(error) : MASKED;
  const wire = { group: "internal", code: "error", message, retryable: false };
  return logId === undefined ? wire : { ...wire, metadata: { id: logId } };
}

const MASKED = "Internal error";

function tellable(error: unknown, expose: boolean): WireError | undefined {
  if (!TroupeError.is(error)) return undefined;
  try {
    if (!error.public && !expose) return undefined;
    const wire = {
      group: cut(`${error.group}`, limits.memberNameLength),
      code: cut(`${error.code}`, limits.memberNameLength),
      message: cut(`${error.message}`, limits.errorMessageLength),
      retryable: error.retryable === true,
    };
    const metadata = sendable(error.metadata);
    return metadata === undefined ? wire : { ...wire, metadata };
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? cut(`${error.message}`, limits.errorMessageLength) : MASKED;
  } catch {
    return MASKED;
  }
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
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

/** True when an error has metadata that its callers won't get: it can't be sent, or is too large. Never throws. */
export function losesMetadata(error: unknown): boolean {
  if (!TroupeError.is(error)) return false;
  try {
    return error.metadata !== undefined && sendable(error.metadata) === undefined;
  } catch {
    return true;
  }
}

/** A user's metadata may hold anything; an error about an error would tell nobody anything. */
function sendable(metadata: unknown): unknown {
  try {
    if (metadata === undefined) return undefined;
    const copy = cloneValue(metadata);
    return bytesPast(limits.errorMetadataBytes, encodeJson(copy)) === undefined ? copy : undefined;
  } catch {
    return undefined;
  }
}
