/** The row of a workflow: what it is, and how it stands. */
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import { workflowErrors } from "./errors.ts";
import type { WorkflowError } from "./failure.ts";

/**
 * How a workflow stands. `diverged`: its code doesn't fit its history; it is tried again at each wake, until a program
 * comes that does.
 */
export type WorkflowState = "running" | "diverged" | "rolling_back" | "completed" | "failed" | "cancelled";

/** One workflow. Times are of the wall clock, milliseconds. */
export interface WorkflowRecord {
  readonly id: string;
  /** The name under which it is declared; empty for the one that is the actor's `run`. */
  readonly workflow: string;
  readonly input: unknown;
  /** The scope of a relay that its lives are below, as JSON; absent for none. */
  readonly trace?: string;
  readonly state: WorkflowState;
  readonly output?: unknown;
  readonly error?: WorkflowError;
  readonly createdAt: number;
  readonly endedAt?: number;
}

/** The row. Throws `value.*`, `workflow.value_too_large`. */
export function encodeRecord(record: WorkflowRecord): Uint8Array {
  const row = encodeCbor(record);
  if (row.byteLength > limits.workflowValueBytes)
    throw workflowErrors.valueTooLarge(record.id, row.byteLength, limits.workflowValueBytes);
  return row;
}

/** Reads a row. Throws `workflow.row_invalid`. */
export function decodeRecord(key: string, row: Uint8Array): WorkflowRecord {
  const value = decodeCbor(row);
  if (typeof value === "object" && value !== null && "state" in value && "workflow" in value)
    return value as WorkflowRecord;
  throw workflowErrors.badRow(key);
}

/** True for one that goes no further. */
export function hasEnded({ state }: WorkflowRecord): boolean {
  return state === "completed" || state === "failed" || state === "cancelled";
}
