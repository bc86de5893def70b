/**
 * WorkflowScope: a workflow as far as one activation takes it. Its steps are below it, and the workflows that they start.
 *
 * A workflow outlives activations, and a scope doesn't: each activation has one of its own, all of them in one trace. What
 * they are below is stored with the workflow: whoever started it; or, of an actor's own `run`, the scope of its first life.
 */
import type { Relay, Scope } from "@troupe/relay";
import type { ActorRecord } from "../ports/directory.ts";
import type { RunScope } from "../workflow/life.ts";
import type { WorkflowRecord, WorkflowState } from "../workflow/record.ts";
import { actorFacts, capturedTrace, endScope, failedWith, OK, parentOf } from "./tracing.ts";

/** What it is made of. */
export interface WorkflowScopeParts {
  readonly relay: Relay;
  readonly record: ActorRecord;
  readonly workflow: WorkflowRecord;
  /** Settles when what was written is durable. */
  readonly durable: () => Promise<void>;
}

/** The scope of one workflow in one activation. */
export class WorkflowScope implements RunScope {
  readonly #parts: WorkflowScopeParts;
  readonly #scope: Scope;
  #ended = false;

  constructor(parts: WorkflowScopeParts) {
    const { relay, record, workflow } = parts;
    this.#parts = parts;
    this.#scope = relay.pushScope(`${record.name}.${workflow.workflow || "run"}`, "function", {
      parent: parentOf(relay, workflow.trace),
      metadata: { ...actorFacts(record, "workflow"), "troupe.workflow_id": workflow.id },
    });
  }

  get trace(): string | undefined {
    return this.#parts.workflow.trace ?? capturedTrace(this.#parts.relay, this.#scope);
  }

  run<R>(fn: () => R): R {
    return this.#parts.relay.withScopeStack(this.#scope, fn);
  }

  end(state: WorkflowState, error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const { relay, durable } = this.#parts;
    const scope = this.#scope;
    const facts = { "troupe.workflow_state": state };
    // It goes on in a later life: nothing of how it stands is new.
    if (state === "running" || state === "rolling_back") endScope(relay, scope, { metadata: facts });
    else {
      durable().then(
        () =>
          endScope(
            relay,
            scope,
            state === "completed" ? { metadata: { ...OK, ...facts } } : failedWith(error, facts),
          ),
        (cause: unknown) => endScope(relay, scope, failedWith(cause, facts)),
      );
    }
  }
}
