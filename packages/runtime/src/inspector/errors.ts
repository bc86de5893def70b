import type { FailedStart, StartError } from "../host/failed-starts.ts";
import { error } from "../new-error.ts";

/** Errors of the inspector. */
export const inspectorErrors = {
  /** What callers are told, and what they aren't. */
  startFailed: (
    { statusCode, group, code, metadata, actor }: StartError,
    { id, code: cause, message }: FailedStart,
  ) =>
    error(
      statusCode,
      group,
      code,
      `Actor ${[actor.name, ...actor.key].join("/")} failed to start: ${message} (${cause}). The log has it under id ${id}`,
      { metadata: { ...metadata, actorId: actor.id, cause: { code: cause, message } } },
    ),
  readOnly: () =>
    error(403, "inspector", "read_only", "The inspector only reads: setup({ inspector: { write: true } })"),
  notSupported: (what: string) =>
    error(
      501,
      "inspector",
      "not_supported",
      `This actor's code runs elsewhere: the inspector can't ${what}`,
      {
        metadata: { what },
      },
    ),
  unknownSection: (section: string, known: readonly string[]) =>
    error(404, "inspector", "unknown_section", `The inspector has no section "${section}"`, {
      metadata: { known },
    }),
  transactionOpen: () =>
    error(
      503,
      "inspector",
      "transaction_open",
      "The actor is in a transaction; try again when it has ended",
      {
        retryable: true,
      },
    ),
  noDatabase: () => error(404, "inspector", "no_database", "The actor has no database"),
  unsettled: (id: string) =>
    error(503, "inspector", "unsettled", `Actor ${id} woke and slept while it was read; try again`, {
      retryable: true,
    }),
  tooManyWatchers: (limit: number) =>
    error(503, "inspector", "too_many_watchers", `Too many live connections (limit ${limit})`, {
      retryable: true,
      metadata: { limit },
    }),
};
