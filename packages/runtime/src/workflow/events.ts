/** What `onError` is told. RivetKit's shapes. */
import type { WorkflowError } from "./failure.ts";

/** A step's attempt failed. */
export interface WorkflowStepErrorEvent {
  readonly workflowId: string;
  readonly stepName: string;
  readonly attempt: number;
  readonly maxRetries: number;
  readonly remainingRetries: number;
  readonly willRetry: boolean;
  /** Milliseconds. */
  readonly retryDelay?: number;
  /** Wall clock, milliseconds. */
  readonly retryAt?: number;
  readonly error: WorkflowError;
}

/** A step's rollback failed: what came before it isn't undone. */
export interface WorkflowRollbackErrorEvent {
  readonly workflowId: string;
  readonly stepName: string;
  readonly error: WorkflowError;
}

/** A workflow failed outside of its steps, or its code doesn't fit its history. */
export interface WorkflowRunErrorEvent {
  readonly workflowId: string;
  readonly error: WorkflowError;
}

/** What went wrong. */
export type WorkflowErrorEvent =
  | { readonly step: WorkflowStepErrorEvent }
  | { readonly rollback: WorkflowRollbackErrorEvent }
  | { readonly workflow: WorkflowRunErrorEvent };
