/**
 * Errors of SQL that runs at the other end of a line. What SQLite itself refuses has the same error there as here
 * (`errors.ts`); these are about the way. They say what is known of the statement: nothing of it was done, or nobody knows.
 */
import { error } from "../new-error.ts";

/** By `group.code`. */
export const remoteSqlErrors = {
  unavailable: (operation: string) =>
    error(503, "sqlite", "remote_unavailable", `The engine can't be reached: ${operation} was never sent`, {
      retryable: true,
      metadata: { operation, applied: "no" },
    }),
  indeterminateResult: (operation: string) =>
    error(
      502,
      "sqlite",
      "remote_indeterminate_result",
      `The engine was lost before it had answered: nobody knows whether ${operation} was done`,
      { metadata: { operation, applied: "unknown" } },
    ),
  executionFailed: (cause: unknown) =>
    error(500, "sqlite", "remote_execution_failed", "The engine couldn't run the SQL", {
      cause,
      public: false,
    }),
  fenceMismatch: (instance: number) =>
    error(
      409,
      "sqlite",
      "remote_fence_mismatch",
      "This activation was given up: the actor runs elsewhere, and its SQL isn't done here any more",
      { metadata: { instance, applied: "no" } },
    ),
  busy: (limit: number, unit: "statements" | "bytes" = "statements") =>
    error(503, "sqlite", "busy", `The actor has ${limit} ${unit} of SQL that wait already`, {
      retryable: true,
      metadata: { limit, applied: "no" },
    }),
  stopping: () =>
    error(503, "sqlite", "stopping", "The actor stops: this statement was not begun", {
      metadata: { applied: "no" },
    }),
};
