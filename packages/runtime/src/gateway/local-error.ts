/**
 * An error on its way from one actor to another of the same process.
 */
import { TroupeError, UserError } from "@troupe/base";
import { toWireError } from "@troupe/protocol";
import { StartError } from "../host/failed-starts.ts";
import { errorStatus } from "./http-message.ts";

/**
 * What the calling actor gets: what a remote caller would get, as an object of its own. What a remote caller doesn't
 * see is its cause, for the log of this process; a UserError tells all there is.
 */
export function localError(error: unknown): TroupeError {
  const { group, code, message, metadata, retryable } = toWireError(error, false);
  const details = isRecord(metadata) ? { metadata } : {};
  if (group === "user" && !retryable) return new UserError(message, { code, ...details });
  const masked = group === "internal" && code === "error";
  const statusCode = errorStatus(error);
  return new TroupeError(group, code, message, {
    ...details,
    retryable,
    statusCode,
    public: !masked,
    cause: StartError.is(error) ? error.cause : error,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
