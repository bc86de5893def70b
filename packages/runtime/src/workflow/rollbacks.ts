/**
 * Rollbacks: what a workflow that fails has to undo, the newest first. They are gathered as its code comes to its steps,
 * for the first time or again, so nothing of them is stored but that one was done.
 *
 * Those of a loop's round are forgotten at its end: a later life wouldn't come to it again.
 */
import { workflowErrors } from "./errors.ts";
import { storedError, toldError } from "./failure.ts";
import type { Scope } from "./scope.ts";

/** What undoes a step. */
export interface Rollback {
  readonly location: string;
  readonly name: string;
  readonly output: unknown;
  readonly timeoutMs: number;
  readonly undo: (step: unknown, output: unknown) => unknown;
}

/** What one workflow has to undo. */
export class Rollbacks {
  /** A checkpoint was passed. */
  armed = false;
  #all: Rollback[] = [];

  get some(): boolean {
    return this.#all.length > 0;
  }

  add(rollback: Rollback): void {
    this.#all.push(rollback);
  }

  /** Those of a place are nobody's any more. */
  forget(scope: string): void {
    this.#all = this.#all.filter(({ location }) => !location.startsWith(`${scope}/`));
  }

  /** Undoes everything. Each is done again when the process dies before it is stored that it was. */
  async undo(root: Scope): Promise<void> {
    for (const rollback of this.#all.toReversed()) {
      if (!(await undone(root, rollback))) return;
    }
  }
}

/** False when it failed: then what came before isn't undone either. */
async function undone(root: Scope, rollback: Rollback): Promise<boolean> {
  const { life, signal, activity } = root;
  const { location, name, output, timeoutMs } = rollback;
  const entry = life.history.get(location);
  if (entry?.kind !== "step" || entry.rolledBackAt !== undefined) return true;
  await root.durable();
  const step = life.owner.stepContext(name, signal);
  activity.stepBegins();
  try {
    const undoing = life.owner.enterStep(name, async () => rollback.undo(step.context, output));
    await life.owner.within(undoing, timeoutMs, () => workflowErrors.stepTimedOut(name, timeoutMs));
    life.history.put(location, { ...entry, rolledBackAt: life.owner.env.clock.now() });
    return true;
  } catch (cause) {
    if (signal.aborted) return false;
    life.history.put(location, { ...entry, rollbackError: storedError(cause) });
    life.report({ rollback: { workflowId: life.id, stepName: name, error: toldError(cause) } });
    return false;
  } finally {
    step.end();
    activity.stepEnds();
  }
}
