/**
 * A child: another workflow of the same actor, with a history of its own, which one waits for. It is there from the batch
 * with its parent's entry on; how it ended is in that entry, from the batch in which it ended.
 */
import { cloneValue } from "@troupe/protocol";
import type { ChildOutcome } from "./entry.ts";
import { workflowErrors } from "./errors.ts";
import { readable } from "./location.ts";
import type { Scope } from "./scope.ts";

/** A child that is wanted. */
export interface ChildSettings {
  readonly workflow: string;
  readonly input: unknown;
  /** Absent: the parent's id and the place. */
  readonly id: string | undefined;
}

/** Starts it, where it isn't there, and waits for its end; its output. Throws `workflow.child_failed`. */
export function runChild(scope: Scope, name: string, settings: ChildSettings): Promise<unknown> {
  return scope.at(name, "child", async ({ entry, location, put, checkNew }) => {
    const { workflow, input } = settings;
    const id = entry?.id ?? settings.id ?? `${scope.life.id}/${readable(location)}`;
    let outcome = entry?.outcome ?? undefined;
    if (entry === undefined) {
      checkNew();
      const started = scope.life.startChild(workflow, id, input);
      // From afar: a crash behind this finds the child, which has the same id.
      if (started instanceof Promise) await started;
      put({ kind: "child", id, workflow, outcome: null });
    }
    if (outcome === undefined) {
      outcome = await ended(scope, id);
      put({ kind: "child", id, workflow, outcome });
    }
    if (outcome.ok) return cloneValue(outcome.output);
    throw workflowErrors.childFailed(id, outcome.error);
  });
}

function ended(scope: Scope, id: string): Promise<ChildOutcome> {
  scope.life.pauses += 1;
  const rest = scope.activity.rest(null);
  return new Promise((resolve) => {
    const forget = scope.life.whenEnded(id, (outcome) => {
      scope.signal.removeEventListener("abort", forget);
      rest.resume();
      resolve(outcome);
    });
    scope.signal.addEventListener("abort", forget, { once: true });
  });
}
