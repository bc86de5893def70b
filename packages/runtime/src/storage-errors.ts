/**
 * Errors of what is stored; `errors.ts` exports them with all others.
 */
import { error } from "./new-error.ts";

/** Errors of what is stored, wherever that is; those of a data directory: `node/sqlite/data-errors.ts`. */
export const storageErrors = {
  commitFailed: (applied: "no" | "unknown", cause: unknown) =>
    error(500, "storage", "commit_failed", "The write could not be made durable", {
      metadata: { applied },
      cause,
    }),
  fenced: (id: string) =>
    error(
      409,
      "storage",
      "fenced",
      `A newer activation of actor ${id} exists; this one can't commit any more`,
    ),
  closed: () => error(503, "storage", "closed", "The storage is closed", { retryable: true }),
  batchTooLarge: (bytes: number, limit: number) =>
    error(413, "storage", "batch_too_large", `One turn wrote ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  propertyTooLarge: (property: string, bytes: number, limit: number) =>
    error(
      413,
      "storage",
      "property_too_large",
      `state.${property} has ${bytes} bytes or more encoded; the limit is ${limit}`,
      {
        metadata: { property, bytes, limit },
      },
    ),
  listTooLarge: (limit: number) =>
    error(413, "storage", "list_too_large", `A list has more than ${limit} bytes: read it in pages`, {
      metadata: { limit },
    }),
  corrupt: (path: string, detail: string) =>
    error(
      500,
      "storage",
      "corrupt",
      `${path} is damaged: ${detail}. Restore it from a backup (docs/backup.md)`,
      {
        public: false,
        metadata: { path, detail },
      },
    ),
};
