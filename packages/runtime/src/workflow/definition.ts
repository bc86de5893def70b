/** What an actor declares of its workflows: untyped, as the runtime runs it. */
import type { WorkflowErrorEvent } from "./events.ts";

/** The code of a workflow. */
export type WorkflowFunction = (ctx: unknown, input: unknown) => unknown;

/** The workflows of a definition. */
export interface WorkflowDefinition {
  readonly main: WorkflowFunction;
  /** Those that are started by their names. */
  readonly named: ReadonlyMap<string, WorkflowFunction>;
  readonly onError: ((c: unknown, event: WorkflowErrorEvent) => unknown) | undefined;
}

/** The name of the one that is the actor's `run`. */
export const MAIN = "";
