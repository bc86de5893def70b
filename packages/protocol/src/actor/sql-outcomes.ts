/** What statements that travelled together gave, on its way back. */
import type { Error as CarriedError } from "../generated/actor/v1/actor.ts";
import type { ExecuteResult, SqlOutcome } from "../sql.ts";
import { decodeCbor, encodeCbor } from "../values/cbor.ts";
import { isRecord } from "../values/error-value.ts";
import { fromCarriedError, toCarriedError } from "./error.ts";
import { checkedResult, malformed } from "./sql.ts";

/** Their bytes. */
export function encodeSqlOutcomes(outcomes: readonly SqlOutcome[]): Uint8Array {
  const parts: unknown[] = [];
  for (const outcome of outcomes)
    parts.push("result" in outcome ? partsOf(outcome.result) : toCarriedError(outcome.error, "cbor"));
  return encodeCbor(parts, "results");
}

/** The outcomes; errors as they were. Throws `value.*`, `sql.malformed`. */
export function decodeSqlOutcomes(bytes: Uint8Array): SqlOutcome[] {
  const parts = decodeCbor(bytes);
  if (!Array.isArray(parts)) throw malformed("results");
  const outcomes: SqlOutcome[] = [];
  for (const part of parts) outcomes.push(outcomeOf(part));
  return outcomes;
}

function partsOf({ columns, rows, changes, lastInsertRowId }: ExecuteResult): readonly unknown[] {
  return [columns, rows, changes, lastInsertRowId];
}

function outcomeOf(part: unknown): SqlOutcome {
  if (Array.isArray(part)) return { result: checkedResult(...part) };
  return { error: fromCarriedError(errorOf(part), "cbor") };
}

function errorOf(part: unknown): CarriedError {
  if (!isRecord(part)) throw malformed("results");
  const { group, code, message, metadata, retryable, status } = part;
  if (typeof group !== "string" || typeof code !== "string" || typeof message !== "string")
    throw malformed("results");
  if (!(metadata instanceof Uint8Array) || typeof status !== "number") throw malformed("results");
  return {
    ...{ group, code, message, metadata, status },
    retryable: retryable === true,
    public: part["public"] === true,
  };
}
