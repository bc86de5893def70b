import { TroupeError } from "@troupe/base";
import { storageErrors } from "../errors.ts";
import type { CommitOutcome } from "../ports/storage.ts";

type NotDurable = Extract<CommitOutcome, { readonly durable: false }>;

/**
 * The end of a batch that isn't stored, or may not be. Everybody who waits for the batch is told, also those whose writes
 * were in order: whatever the error is, its `applied` says what has become of theirs.
 */
export function notDurable(applied: "no" | "unknown", cause: unknown): NotDurable {
  if (!TroupeError.is(cause))
    return { durable: false, applied, error: storageErrors.commitFailed(applied, cause) };
  const { group, code, message, retryable, statusCode } = cause;
  const metadata = { ...cause.metadata, applied };
  const options = { metadata, retryable, public: cause.public, statusCode, cause: cause.cause };
  return { durable: false, applied, error: new TroupeError(group, code, message, options) };
}
