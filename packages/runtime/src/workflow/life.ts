/** What the parts of a workflow need of it, and what it needs of its actor. */
import type { Env, Logger } from "@troupe/base";
import type { MaybePromise } from "../ports/storage.ts";
import type { Queues } from "../queue/queues.ts";
import type { ChildOutcome } from "./entry.ts";
import type { WorkflowErrorEvent } from "./events.ts";
import type { BlockFailure } from "./failure.ts";
import type { History } from "./history.ts";
import type { WorkflowRecord, WorkflowState } from "./record.ts";
import type { Rollbacks } from "./rollbacks.ts";
import type { RowsOwner } from "./rows.ts";
import type { Scope } from "./scope.ts";

/** The context of one attempt at a step. */
export interface StepContextHandle {
  /** What the step's code gets. */
  readonly context: unknown;
  /** From now on it refuses. */
  end(): void;
}

/** The scope of one workflow in one activation. */
export interface RunScope {
  /** What its later lives are below. */
  readonly trace: string | undefined;
  /** Runs its code, and all that it awaits, in it. */
  run<R>(fn: () => R): R;
  /** It goes no further here. Once. */
  end(state: WorkflowState, error?: unknown): void;
}

/** What the workflows of an activation need of it. */
export interface WorkflowsOwner extends RowsOwner {
  readonly env: Pick<Env, "clock" | "timers" | "ids" | "afterTurn">;
  readonly log: Logger;
  readonly actorId: string;
  readonly queues: Queues;
  /** The activation has begun to end. */
  readonly stopping: boolean;
  /** Settles when everything written so far is durable; nothing when it is. */
  durable(): Promise<void> | undefined;
  /**
   * A workflow wants messages of these queues, of all without names: they wake the actor. Throws `queue.not_found`.
   */
  asks(names: ReadonlySet<string> | undefined): void;
  /** Throws `queue.*`, `value.*`. */
  encodeReply(queue: string, reply: unknown): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Runs code of the actor's, outside of any transaction. */
  enter<R>(fn: () => R): R;
  /** Where it is to be told of what goes on: the scope of a workflow that begins here, or goes on. */
  runScope(record: WorkflowRecord): RunScope | undefined;
  /** What goes on where a workflow is started, as JSON. */
  trace(): string | undefined;
  /** The same with a step's, which is a scope of its own. */
  enterStep<R>(step: string, fn: () => R): R;
  within<R>(promise: Promise<R>, timeoutMs: number, late: () => unknown): Promise<R>;
  stepContext(step: string, signal: AbortSignal): StepContextHandle;
  /** Tells the user's code of an error; what that throws is logged. */
  report(onError: (c: unknown, event: WorkflowErrorEvent) => unknown, event: WorkflowErrorEvent): void;
  /** What a workflow's code gets. */
  workflowContext(scope: Scope): unknown;
}

/** A workflow that goes on, as its parts see it. */
export interface WorkflowLife {
  readonly id: string;
  readonly owner: WorkflowsOwner;
  readonly history: History;
  readonly rollbacks: Rollbacks;
  /** What errors that were thrown into the workflow's code are about. */
  readonly failures: WeakMap<object, BlockFailure>;
  /** Messages that its code has to complete before it gets others. */
  readonly open: Set<number>;
  /** How often it has waited for something, so that its turn was over. */
  pauses: number;
  /** It can't go on with this program. */
  stuck(cause: unknown): void;
  report(event: WorkflowErrorEvent): void;
  /** Starts another workflow of the actor, in this turn where the store is at hand. Throws `workflow.*`. */
  startChild(workflow: string, id: string, input: unknown): MaybePromise<void>;
  /** Calls `told` with the end of another workflow: later, or now, where it has ended. Returns what undoes it. */
  whenEnded(id: string, told: (outcome: ChildOutcome) => void): () => void;
}
