/** `c.workflows`. What it writes is written when its methods return, where the disk is at hand. */
import { cloneValue } from "@troupe/protocol";
import { observed } from "../../ports/observed.ts";
import { workflowErrors } from "../../workflow/errors.ts";
import { hasEnded, type WorkflowRecord } from "../../workflow/record.ts";
import type { Workflows } from "../../workflow/workflows.ts";
import type { ActorWorkflows, WorkflowInfo, WorkflowStartOptions } from "../types/workflow.ts";
import type { Activation } from "./activation.ts";

/** The workflows, as one handler sees them. */
export class WorkflowsApi implements ActorWorkflows {
  readonly #activation: Activation;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  start(name: string, options: WorkflowStartOptions = {}): Promise<WorkflowInfo> {
    return this.#ask(async (workflows) => {
      const { id = this.#activation.env.ids.random(), input } = options;
      const started = workflows.start(name, id, cloneValue(input));
      return infoOf(started instanceof Promise ? await started : started);
    });
  }

  get(id: string): Promise<WorkflowInfo | undefined> {
    return this.#ask(async (workflows) => {
      const found = await workflows.find(id);
      return found && infoOf(found);
    });
  }

  list(): Promise<readonly WorkflowInfo[]> {
    return this.#ask(async (workflows) => (await workflows.active()).map(infoOf));
  }

  result<R = unknown>(id: string): Promise<R> {
    return this.#ask(async (workflows) => {
      const { state, output, error } = await workflows.ended(id);
      if (state === "completed") return cloneValue(output) as R;
      throw error === undefined ? workflowErrors.cancelled(id) : workflowErrors.failed(id, error);
    });
  }

  cancel(id: string): Promise<boolean> {
    return this.#ask(async (workflows) => await workflows.cancel(id));
  }

  #ask<R>(ask: (workflows: Workflows) => Promise<R>): Promise<R> {
    const { workflows, record } = this.#activation;
    if (workflows === undefined)
      return this.#observed(Promise.reject(workflowErrors.unavailable(record.name)));
    return this.#observed((async () => await ask(workflows))());
  }

  #observed<R>(asked: Promise<R>): Promise<R> {
    return observed(asked, this.#activation, "c.workflows");
  }
}

function infoOf(record: WorkflowRecord): WorkflowInfo {
  const { id, workflow, state, error, createdAt, endedAt } = record;
  return {
    id,
    workflow,
    state,
    input: cloneValue(record.input),
    ...(hasEnded(record) ? { output: cloneValue(record.output) } : {}),
    ...(error === undefined ? {} : { error }),
    createdAt,
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}
