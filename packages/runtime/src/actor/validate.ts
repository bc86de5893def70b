/** Checks of values by Standard Schemas. A schema that answers at once costs no promise. */
import type { TroupeError } from "@troupe/base";
import type { MaybePromise } from "../ports/storage.ts";
import { andThen } from "../storage/overlay.ts";
import type { SchemaIssue, StandardSchema } from "./types/standard-schema.ts";

/** What a schema makes of a value: at once where it can. Throws, or rejects with, what `refuse` makes. */
export function validated(
  schema: StandardSchema | undefined,
  value: unknown,
  refuse: (issues: readonly object[]) => TroupeError,
): MaybePromise<unknown> {
  if (schema === undefined) return value;
  const result = schema["~standard"].validate(value);
  // Of any realm, and of any kind that can be awaited.
  const settled = "then" in result ? Promise.resolve(result) : result;
  return andThen(settled, (found) => {
    if (found.issues !== undefined) throw refuse(found.issues.map(plainIssue));
    return found.value;
  });
}

/** What travels of an issue: where, and what. */
function plainIssue({ message, path = [] }: SchemaIssue): object {
  const keys = path.map((part) => (typeof part === "object" ? part.key : part));
  return { path: keys.map((key) => (typeof key === "symbol" ? String(key) : key)), message: String(message) };
}
