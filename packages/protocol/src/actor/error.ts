/**
 * Errors between a host and code that it carries: their type crosses, their stack stays where it was made.
 */
import { TroupeError } from "@troupe/base";
import type { Error as CarriedError } from "../generated/actor/v1/actor.ts";
import { isRecord, troupeError } from "../values/error-value.ts";
import { decodePayload, encodePayload, NO_PAYLOAD, type PayloadEncoding } from "./payload.ts";

/**
 * The message for an error. Whatever isn't a TroupeError is `internal.error`, not public. `logId` finds it in the log here: it
 * is in the metadata, for who tells it to callers in place of the error. Never throws.
 */
export function toCarriedError(error: unknown, encoding: PayloadEncoding, logId?: string): CarriedError {
  try {
    if (TroupeError.is(error)) return typed(error, encoding, logId);
  } catch {
    // It only looks like one of ours.
  }
  return {
    group: "internal",
    code: "error",
    message: messageOf(error),
    metadata: metadataOf(logId === undefined ? undefined : { logId }, encoding),
    retryable: false,
    public: false,
    status: 500,
  };
}

function typed(error: TroupeError, encoding: PayloadEncoding, logId: string | undefined): CarriedError {
  const { statusCode, metadata } = error;
  return {
    group: `${error.group}`,
    code: `${error.code}`,
    message: `${error.message}`,
    metadata: metadataOf(logId === undefined ? metadata : { ...metadata, logId }, encoding),
    retryable: error.retryable === true,
    public: error.public !== false,
    status: Number.isInteger(statusCode) && statusCode > 0 && statusCode < 2 ** 31 ? statusCode : 400,
  };
}

/** The error of a message. */
export function fromCarriedError(error: CarriedError, encoding: PayloadEncoding): TroupeError {
  const { group, code, message, retryable } = error;
  const metadata = decodeMetadata(error.metadata, encoding);
  if (group === "user") return troupeError({ group, code, message, retryable, metadata });
  return new TroupeError(group || "internal", code || "error", message, {
    retryable,
    public: error.public,
    statusCode: error.status === 0 ? 400 : error.status,
    ...(metadata === undefined ? {} : { metadata }),
  });
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return "an error that can't be read";
  }
}

/** Metadata that can't be sent is left out: an error about an error would tell nobody anything. */
function metadataOf(metadata: TroupeError["metadata"], encoding: PayloadEncoding): Uint8Array {
  if (metadata === undefined || encoding === "raw") return NO_PAYLOAD;
  try {
    return encodePayload(metadata, encoding);
  } catch {
    return NO_PAYLOAD;
  }
}

function decodeMetadata(
  bytes: Uint8Array,
  encoding: PayloadEncoding,
): Readonly<Record<string, unknown>> | undefined {
  if (bytes.byteLength === 0 || encoding === "raw") return undefined;
  try {
    const value = decodePayload(bytes, encoding);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
