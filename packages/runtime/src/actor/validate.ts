/** Checks of values by Standard Schemas. */
import type { TroupeError } from "@troupe/base";
import type { MaybePromise } from "../ports/storage.ts";
import type { StandardSchema } from "./types/standard-schema.ts";

/** What a schema makes of a value: at once where it can. Throws, or rejects with, what `refuse` makes. */
export function validated(
  schema: StandardSchema | undefined,
  value: unknown,
  refuse: (issues: readonly unknown[]) => TroupeError,
): MaybePromise<unknown> {
  if (schema === undefined) return value;
  const result = schema["~standard"].validate(value);
  const checked = (found: Awaited<typeof result>): unknown => {
    if (found.issues !== undefined) throw refuse(found.issues.map(plainIssue));
    return found.value;
  };
  return result instanceof Promise ? result.then(checked) : checked(result);
}

/** What travels of an issue. */
function plainIssue(issue: unknown): unknown {
  if (typeof issue !== "object" || issue === null) return {};
  const message = "message" in issue ? String(issue.message) : "";
  if (!("path" in issue) || !Array.isArray(issue.path)) return { message };
  return { message, path: issue.path.map((part: unknown) => String(keyOf(part))) };
}

function keyOf(part: unknown): unknown {
  return typeof part === "object" && part !== null && "key" in part ? part.key : part;
}
