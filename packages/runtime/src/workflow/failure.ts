/**
 * How parts of a workflow fail, as it is stored, told and caught. What a step threw is an error with a stack once; after
 * a crash only what is stored is left of it, so the workflow's code gets an error that is made of that from the start.
 */
import { TroupeError } from "@troupe/base";
import { failureOf } from "../schedule/failure.ts";

/** An error, as it is kept. */
export interface WorkflowError {
  /** The class of what was thrown. */
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Why a step failed for good. */
export type StepFailureKind = "critical" | "timeout" | "exhausted" | "rollback";

/** A step that failed for good. */
export interface StepFailure {
  readonly kind: StepFailureKind;
  readonly stepName: string;
  readonly attempts: number;
  readonly error: WorkflowError;
}

/** What a `try` block caught. */
export interface BlockFailure {
  readonly source: "step" | "join" | "race" | "block";
  readonly name: string;
  readonly error: WorkflowError;
  /** The step, where it was one. */
  readonly step?: StepFailure | undefined;
}

/** Thrown in a step: it isn't tried again. */
export class CriticalError extends Error {
  override readonly name = "CriticalError";
}

/** Thrown in a step or between steps: the workflow fails at once, and what has a rollback is undone. */
export class RollbackError extends Error {
  override readonly name = "RollbackError";
}

/** An error as it is stored. Never throws. */
export function storedError(cause: unknown): WorkflowError {
  const { group, code, message, metadata } = failureOf(cause);
  const name = nameOf(cause);
  const about: Record<string, unknown> = {};
  if (TroupeError.is(cause)) Object.assign(about, { group, code });
  if (typeof metadata === "object" && metadata !== null) Object.assign(about, metadata);
  // Of an error that isn't ours the text on the wire is masked; this one is the actor's own.
  const text = cause instanceof Error ? cause.message : message;
  return { name, message: text, ...(Object.keys(about).length === 0 ? {} : { metadata: about }) };
}

/** The same with its stack, for whoever is told of it now. */
export function toldError(cause: unknown): WorkflowError {
  const stack = cause instanceof Error ? cause.stack : undefined;
  return { ...storedError(cause), ...(stack === undefined ? {} : { stack }) };
}

function nameOf(cause: unknown): string {
  if (cause instanceof Error && typeof cause.name === "string") return cause.name;
  return "Error";
}
