/**
 * What a workflow's history is made of: one entry, and one row, for each thing that its code came to.
 */
import { decodeCbor, encodeCbor } from "@troupe/protocol";
import { workflowErrors } from "./errors.ts";
import type { StepFailureKind, WorkflowError } from "./failure.ts";

/** A step. While it runs for the first time it has no entry. */
export interface StepEntry {
  readonly kind: "step";
  /** `failed`: it is tried again. `exhausted`: it isn't. */
  readonly status: "completed" | "failed" | "exhausted";
  readonly attempts: number;
  /** When the last attempt ended (wall clock, ms). */
  readonly at: number;
  readonly output?: unknown;
  readonly error?: WorkflowError;
  readonly failure?: StepFailureKind;
  readonly rolledBackAt?: number;
  readonly rollbackError?: WorkflowError;
}

/** A message that a workflow has taken over from its actor's queue. */
export interface TakenMessage {
  readonly id: number;
  readonly name: string;
  readonly createdAt: number;
  readonly body: Uint8Array;
  readonly ticket: string | null;
  /** Absent where nobody has to complete it. */
  readonly completed?: boolean;
}

/** What is in a history. */
export type Entry =
  | StepEntry
  | { readonly kind: "sleep"; readonly until: number; readonly done: boolean }
  /** Without messages it is waited for; empty ones: the time was over. */
  | {
      readonly kind: "message";
      readonly until: number | null;
      readonly messages: readonly TakenMessage[] | null;
    }
  | {
      readonly kind: "loop";
      readonly round: number;
      readonly state: unknown;
      readonly done: boolean;
      readonly output?: unknown;
    }
  | { readonly kind: "join"; readonly branches: readonly string[] }
  | {
      readonly kind: "race";
      readonly branches: readonly string[];
      readonly winner: string | null;
      readonly output?: unknown;
    }
  | { readonly kind: "rollback_checkpoint" }
  | { readonly kind: "removed"; readonly originalType: string }
  | { readonly kind: "version_check"; readonly resolved: number; readonly latest: number }
  | {
      readonly kind: "child";
      readonly id: string;
      readonly workflow: string;
      readonly outcome: ChildOutcome | null;
    };

/** How a child has ended. */
export type ChildOutcome =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: WorkflowError };

/** Kinds of entries. */
export type EntryKind = Entry["kind"];

const kinds: ReadonlySet<unknown> = new Set<EntryKind>([
  "step",
  "sleep",
  "message",
  "loop",
  "join",
  "race",
  "rollback_checkpoint",
  "removed",
  "version_check",
  "child",
]);

/** True for a name of a kind. */
export function isEntryKind(value: unknown): value is EntryKind {
  return kinds.has(value);
}

/** The row. Throws `value.*`. */
export function encodeEntry(entry: Entry): Uint8Array {
  return encodeCbor(entry);
}

/** Reads a row. Throws `workflow.row_invalid`. */
export function decodeEntry(key: string, row: Uint8Array): Entry {
  const value = decodeCbor(row);
  // What wrote it was this file; a check value of the store's finds bytes that have changed.
  if (typeof value === "object" && value !== null && "kind" in value && isEntryKind(value.kind))
    return value as Entry;
  throw workflowErrors.badRow(key);
}
