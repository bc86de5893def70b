/**
 * `workflow(fn)`: makes an actor's `run` of a workflow.
 */
import { configErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";
import { MAIN, type WorkflowDefinition, type WorkflowFunction } from "../workflow/definition.ts";
import { workflowErrors } from "../workflow/errors.ts";
import { openWorkflows, runWorkflows } from "./local/workflowing.ts";
import type { Types } from "./types/bag.ts";
import type { Database, DatabaseAccess } from "./types/database.ts";
import type { EventDeclarations } from "./types/event.ts";
import type { QueueDeclarations } from "./types/queue.ts";
import type { WorkflowContext, WorkflowOptions } from "./types/workflow.ts";
import { WORKFLOW_KIND, type WorkflowRun } from "./workflow-run.ts";

/**
 * Makes an actor's `run` a workflow: code that goes on where it was when its actor slept or its process died.
 *
 * ```ts
 * const order = actor({
 *   state: { status: "new" },
 *   run: workflow(async (ctx) => {
 *     const charge = await ctx.step("charge", async (step) => await pay(step.state));
 *     await ctx.sleep("a day", 24 * 3_600_000);
 *     await ctx.step("ship", async (step) => { step.state.status = `shipped, ${charge}`; });
 *   }),
 * });
 * ```
 *
 * Throws `config.invalid_option`.
 */
// One parameter for each part: what the actor doesn't declare, or makes in a hook just before, isn't settled yet when its
// `run` is looked at. It is unknown here, which every actor's is; `run` settles nothing of it for the actor.
export function workflow<
  S = unknown,
  CP = unknown,
  CS = unknown,
  V = unknown,
  I = unknown,
  E extends EventDeclarations = Record<never, never>,
  N extends string = string,
  Q extends QueueDeclarations = Record<never, never>,
  D extends DatabaseAccess = Database,
>(
  fn: (ctx: WorkflowContext<Types<S, CP, CS, V, I, E, N, Q, D>>) => Promise<unknown>,
  options: WorkflowOptions<Types<S, CP, CS, V, I, E, N, Q, D>> = {},
): WorkflowRun<Types<S, CP, CS, V, I, E, N, Q, D>> {
  checkKnownOptions("workflow", options, ["onError", "workflows"]);
  const { onError, workflows = {} } = options;
  if (typeof fn !== "function") throw configErrors.invalidOption("run", "a workflow's function");
  if (onError !== undefined && typeof onError !== "function")
    throw configErrors.invalidOption("onError", "a function");
  const named = new Map<string, WorkflowFunction>();
  for (const [name, code] of Object.entries(workflows)) {
    if (name === MAIN || typeof code !== "function")
      throw configErrors.invalidOption(`workflows.${name}`, "a function with a name");
    named.set(name, code as WorkflowFunction);
  }
  const definition = Object.freeze({
    main: fn as WorkflowFunction,
    named,
    onError: onError as WorkflowDefinition["onError"],
    engine: { open: openWorkflows, run: runWorkflows },
  });
  const run = (c: { readonly name: string }): Promise<void> =>
    Promise.reject(workflowErrors.unavailable(c.name));
  return Object.freeze(Object.assign(run, { kind: WORKFLOW_KIND, definition } as const));
}

/** What a round of a loop returns. */
export const Loop = Object.freeze({
  /** Another round follows. */
  continue: <S>(state: S): { readonly continue: true; readonly state: S } => ({ continue: true, state }),
  /** It was the last one. */
  break: <R>(value: R): { readonly break: true; readonly value: R } => ({ break: true, value }),
});
