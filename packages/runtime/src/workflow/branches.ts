/**
 * Branches: parts of a workflow that go on beside each other, each a scope of its own.
 *
 * A join is through when all of them are. A race is through with the first that returns: that it won, and the end of
 * everything below the others, is one batch. A step of another branch that runs just then runs to its end, and is waited
 * for, but its result is nobody's.
 */
import { cloneValue } from "@troupe/protocol";
import type { Activity } from "./activity.ts";
import { workflowErrors } from "./errors.ts";
import { storedError, type WorkflowError } from "./failure.ts";
import { inside, readable } from "./location.ts";
import { CANCELLED, isMisfit, noMore, Scope } from "./scope.ts";

/** A branch that is to be run. */
export interface Branch {
  readonly name: string;
  readonly run: (ctx: unknown) => unknown;
}

type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly cause: unknown };

/** Runs all of them to their ends. */
export function runJoin(
  scope: Scope,
  name: string,
  branches: readonly Branch[],
): Promise<Record<string, unknown>> {
  return scope.at(name, "join", async ({ entry, location, put, checkNew }) => {
    const names = branches.map((branch) => branch.name);
    if (entry === undefined) {
      checkNew();
      put({ kind: "join", branches: names });
    } else checkNames(location, entry.branches, names);
    const outcomes = await together(scope, branches, (branch, activity) =>
      runBranch(new Scope(scope.life, inside(location, branch.name), activity, scope.signal), branch),
    );
    const values: Record<string, unknown> = Object.create(null);
    const errors: Record<string, WorkflowError> = {};
    for (const [index, outcome] of outcomes.entries()) {
      const key = names[index] ?? "";
      if (outcome.ok) values[key] = outcome.value;
      else errors[key] = storedError(outcome.cause);
    }
    if (Object.keys(errors).length === 0) return { ...values };
    const error = workflowErrors.joinFailed(name, errors);
    scope.life.failures.set(error, { source: "join", name, error: storedError(error) });
    throw error;
  });
}

/** Runs them until one returns. */
export function runRace(
  scope: Scope,
  name: string,
  branches: readonly Branch[],
): Promise<{ winner: string; value: unknown }> {
  return scope.at(name, "race", async ({ entry, location, put, checkNew }) => {
    const names = branches.map((branch) => branch.name);
    if (entry !== undefined) checkNames(location, entry.branches, names);
    if (entry?.winner != null) {
      // It is run again for its rollbacks, and to see that the code still fits.
      const { winner, output } = entry;
      const branch = branches.find((one) => one.name === winner);
      if (branch !== undefined)
        await runBranch(
          new Scope(scope.life, inside(location, winner), scope.activity, scope.signal),
          branch,
        );
      return { winner, value: cloneValue(output) };
    }
    if (entry === undefined) {
      checkNew();
      put({ kind: "race", branches: names, winner: null });
    }
    const race = new Race(scope, location, branches);
    const won = await race.over;
    if (won === undefined) {
      const error = workflowErrors.raceFailed(name, race.errors);
      scope.life.failures.set(error, { source: "race", name, error: storedError(error) });
      throw error;
    }
    put({ kind: "race", branches: names, winner: won.winner, output: cloneValue(won.value) });
    await race.end(won.winner);
    return { winner: won.winner, value: cloneValue(won.value) };
  });
}

interface Running {
  readonly branch: Branch;
  readonly scope: Scope;
  readonly abort: AbortController;
}

/** One race that goes on. */
class Race {
  /** The winner; nothing when all have failed. */
  readonly over: Promise<{ readonly winner: string; readonly value: unknown } | undefined>;
  readonly errors: Record<string, WorkflowError> = {};
  readonly #running: readonly Running[];
  readonly #scope: Scope;
  #decided = false;

  constructor(scope: Scope, location: string, branches: readonly Branch[]) {
    this.#scope = scope;
    this.#running = branches.map((branch) => {
      const abort = new AbortController();
      follow(scope.signal, abort);
      const activity = scope.activity.branch();
      activity.add(1);
      return {
        branch,
        abort,
        scope: new Scope(scope.life, inside(location, branch.name), activity, abort.signal),
      };
    });
    // Its own strand is theirs now.
    scope.activity.add(-1);
    const { promise, resolve } = Promise.withResolvers<
      { readonly winner: string; readonly value: unknown } | undefined
    >();
    this.over = promise;
    let left = this.#running.length;
    for (const { branch, scope: inner } of this.#running) {
      void runBranch(inner, branch).then((outcome) => {
        left -= 1;
        if (this.#decided) return;
        if (!outcome.ok) this.errors[branch.name] = storedError(outcome.cause);
        this.#decided = outcome.ok || left === 0;
        if (this.#decided) scope.activity.add(1);
        inner.activity.add(-1);
        if (outcome.ok) resolve({ winner: branch.name, value: outcome.value });
        else if (left === 0) resolve(undefined);
      });
    }
  }

  /** The others go no further, and nothing is left of them. */
  async end(winner: string): Promise<void> {
    const others = this.#running.filter(({ branch }) => branch.name !== winner);
    const { history, rollbacks } = this.#scope.life;
    for (const { abort, scope } of others) {
      abort.abort(CANCELLED);
      scope.activity.cut();
      history.forget(scope.location);
      rollbacks.forget(scope.location);
    }
    for (const { scope } of others) await scope.activity.stepless();
  }
}

/** Aborts `abort` when `signal` is. */
function follow(signal: AbortSignal, abort: AbortController): void {
  if (signal.aborted) abort.abort(signal.reason);
  else
    signal.addEventListener("abort", () => abort.abort(signal.reason), { once: true, signal: abort.signal });
}

/** Runs branches beside each other, each with a strand of its own, and gives the one that it has back. */
async function together(
  scope: Scope,
  branches: readonly Branch[],
  run: (branch: Branch, activity: Activity) => Promise<Outcome>,
): Promise<Outcome[]> {
  if (branches.length === 0) return [];
  let left = branches.length;
  const running = branches.map((branch) => {
    const activity = scope.activity.branch();
    activity.add(1);
    return run(branch, activity).then((outcome) => {
      left -= 1;
      if (left === 0) scope.activity.add(1);
      activity.add(-1);
      activity.cut();
      return outcome;
    });
  });
  scope.activity.add(-1);
  return await Promise.all(running);
}

async function runBranch(scope: Scope, branch: Branch): Promise<Outcome> {
  try {
    const value = await scope.run(() => branch.run(scope.life.owner.workflowContext(scope)));
    if (scope.signal.aborted) return await noMore();
    return { ok: true, value };
  } catch (cause) {
    if (scope.signal.aborted) return await noMore();
    if (!isMisfit(cause)) return { ok: false, cause };
    scope.life.stuck(cause);
    return await noMore();
  }
}

function checkNames(location: string, found: readonly string[], expected: readonly string[]): void {
  if (found.length === expected.length && found.every((name) => expected.includes(name))) return;
  throw workflowErrors.historyDiverged(
    readable(location),
    `branches ${expected.join(", ")}`,
    `branches ${found.join(", ")}`,
  );
}
