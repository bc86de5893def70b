/**
 * A `run` that is a workflow, as the rest of an actor's definition sees it.
 *
 * What runs workflows comes with a definition that has some: a program without them, which on the edge is one bundle, doesn't
 * carry it.
 */
import type { WorkflowDefinition } from "../workflow/definition.ts";
import type { Workflows } from "../workflow/workflows.ts";
import type { Activation } from "./local/activation.ts";
import type { RunWork } from "./local/run.ts";
import type { ActorTypes } from "./types/bag.ts";
import type { ActorContext } from "./types/context.ts";

/** How a `run` says that it is a workflow. */
export const WORKFLOW_KIND = "troupe workflow";

/** Runs the workflows of activations. */
export interface WorkflowEngine {
  /** `row`: what storage holds of them. */
  open(activation: Activation, row?: Uint8Array): Workflows;
  /** Runs them beside the activation, until it ends. */
  run(activation: Activation, work: RunWork): Promise<void>;
}

/** The workflows of a definition, and what runs them. */
export interface ActorWorkflow extends WorkflowDefinition {
  readonly engine: WorkflowEngine;
}

/** What `workflow()` returns: the actor's `run`. */
export interface WorkflowRun<T extends ActorTypes> {
  (c: ActorContext<T>): Promise<void>;
  readonly kind: typeof WORKFLOW_KIND;
  readonly definition: ActorWorkflow;
}

/** The workflows of a `run`; nothing where it is something else. */
export function workflowOf(run: unknown): ActorWorkflow | undefined {
  const found = typeof run === "object" && run !== null && "run" in run ? run.run : run;
  const isOurs = typeof found === "function" && "kind" in found && found.kind === WORKFLOW_KIND;
  return isOurs && "definition" in found ? (found.definition as ActorWorkflow) : undefined;
}
