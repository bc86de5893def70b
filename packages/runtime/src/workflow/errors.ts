import { error } from "../new-error.ts";
import type { StepFailure, WorkflowError } from "./failure.ts";

/** Errors of workflows. Those of the first group end nothing: the program and the history don't fit, and a later one may. */
export const workflowErrors = {
  historyDiverged: (location: string, expected: string, found: string, cause?: unknown) =>
    error(
      500,
      "workflow",
      "history_diverged",
      `The code doesn't fit the workflow's history at "${location}": the history has ${found}, the code ${expected}. Use ctx.getVersion or ctx.removed where code has changed`,
      { metadata: { location, expected, found }, ...(cause === undefined ? {} : { cause }) },
    ),
  entryInProgress: (location: string, other: string) =>
    error(
      500,
      "workflow",
      "entry_in_progress",
      `"${location}" began while "${other}" goes on: await one before the next, or use ctx.join`,
      { metadata: { location, other } },
    ),
  duplicateName: (location: string) =>
    error(500, "workflow", "duplicate_name", `"${location}" is there twice: each name is used once`, {
      metadata: { location },
    }),
  invalidName: (location: string) =>
    error(500, "workflow", "invalid_name", "A name must have 1 to 256 whole characters", {
      metadata: { location },
    }),
  invalidOption: (option: string, expected: string) =>
    error(400, "workflow", "invalid_option", `${option} must be ${expected}`, { metadata: { option } }),
  checkpointMissing: (step: string) =>
    error(
      500,
      "workflow",
      "rollback_checkpoint_missing",
      `Step "${step}" has a rollback, and no ctx.rollbackCheckpoint(…) came before it`,
      { metadata: { step } },
    ),

  step: (failure: StepFailure) => {
    const { stepName, attempts, error: of } = failure;
    const [code, text] = stepTexts[failure.kind];
    return error(500, "workflow", code, `Step "${stepName}" ${text}: ${of.message}`, {
      metadata: { step: stepName, attempts, error: of },
    });
  },
  joinFailed: (name: string, errors: Readonly<Record<string, WorkflowError>>) =>
    error(500, "workflow", "join_failed", `Branches of "${name}" failed: ${Object.keys(errors).join(", ")}`, {
      metadata: { name, errors },
    }),
  raceFailed: (name: string, errors: Readonly<Record<string, WorkflowError>>) =>
    error(500, "workflow", "race_failed", `All branches of "${name}" failed`, { metadata: { name, errors } }),
  childFailed: (id: string, of: WorkflowError) =>
    error(500, "workflow", "child_failed", `Workflow "${id}" failed: ${of.message}`, {
      metadata: { id, error: of },
    }),
  stepTimedOut: (step: string, timeoutMs: number) =>
    error(500, "workflow", "step_timed_out", `It took longer than ${timeoutMs} ms`, {
      metadata: { step, timeoutMs },
    }),
  loopUndefined: (name: string) =>
    error(
      500,
      "workflow",
      "loop_result_missing",
      `Loop "${name}" has a state: return Loop.continue(state) or Loop.break(value)`,
      { metadata: { name } },
    ),
  stepOver: (step: string) =>
    error(400, "workflow", "step_over", `Step "${step}" is over: its context can't be used any more`, {
      metadata: { step },
    }),
  outsideStep: (member: string) =>
    error(
      400,
      "workflow",
      "outside_step",
      `ctx.${member} is there inside of a step alone: what happens outside of steps is repeated`,
      { metadata: { member } },
    ),

  historyFull: (id: string, limit: number, what: "entries" | "bytes") =>
    error(507, "workflow", "history_full", `The history of workflow "${id}" holds ${limit} ${what}`, {
      metadata: { id, limit, what },
    }),
  valueTooLarge: (location: string, bytes: number, limit: number) =>
    error(413, "workflow", "value_too_large", `"${location}" has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { location, bytes, limit },
    }),
  tooMany: (limit: number) =>
    error(429, "workflow", "too_many", `The actor has ${limit} workflows that go on`, {
      metadata: { limit },
    }),
  unavailable: (actor: string) =>
    error(400, "workflow", "unavailable", `The \`run\` of actor "${actor}" is no workflow`, {
      metadata: { actor },
    }),
  notDeclared: (name: string) =>
    error(404, "workflow", "not_declared", `The actor declares no workflow "${name}"`, {
      metadata: { name },
    }),
  invalidId: () =>
    error(400, "workflow", "invalid_id", "A workflow's id must have 1 to 256 whole characters"),
  idTaken: (id: string, name: string) =>
    error(409, "workflow", "id_taken", `"${id}" is the id of a workflow "${name}"`, {
      metadata: { id, name },
    }),
  notFound: (id: string) =>
    error(404, "workflow", "not_found", `There is no workflow "${id}"`, { metadata: { id } }),
  failed: (id: string, of: WorkflowError) =>
    error(500, "workflow", "failed", `Workflow "${id}" failed: ${of.message}`, {
      metadata: { id, error: of },
    }),
  cancelled: (id: string) =>
    error(409, "workflow", "cancelled", `Workflow "${id}" was cancelled`, { metadata: { id } }),
  badRow: (key: string) =>
    error(500, "workflow", "row_invalid", "A stored row of a workflow can't be read", { metadata: { key } }),
};

const stepTexts = {
  exhausted: ["step_exhausted", "failed as often as it may"],
  timeout: ["step_timed_out", "took too long"],
  critical: ["step_failed", "failed for good"],
  rollback: ["rolled_back", "asked for the rollback"],
} as const;
