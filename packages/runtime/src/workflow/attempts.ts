/** `tryStep` and `try`: failures as values. What isn't caught goes on as an error. */
import { workflowErrors } from "./errors.ts";
import { type BlockFailure, type StepFailureKind, storedError } from "./failure.ts";
import { isMisfit, noMore, type Scope } from "./scope.ts";
import { runStep, type StepOutcome, type StepSettings, stepError } from "./step.ts";

/** A value, or why there is none. */
export type Tried<Failure> =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Failure };

/** What a block may catch, by where it comes from; `rollback` beside it: also what asks for the rollback. */
export type BlockCatch = "step" | "join" | "race" | "rollback";

const usualStepKinds: readonly StepFailureKind[] = ["critical", "timeout", "exhausted"];
const usualBlockKinds: readonly BlockCatch[] = ["step", "join", "race"];

/** Does a step; one that failed for good is a value. */
export async function tryStep(
  scope: Scope,
  settings: StepSettings,
  kinds: readonly string[] = usualStepKinds,
): Promise<StepOutcome> {
  const outcome = await runStep(scope, settings);
  if (outcome.ok || kinds.includes(outcome.failure.kind)) return outcome;
  throw stepError(scope, outcome.failure);
}

/** Runs a block; a part of it that failed for good is a value. */
export function tryBlock(
  scope: Scope,
  name: string,
  run: (ctx: unknown) => unknown,
  kinds: readonly string[] = usualBlockKinds,
): Promise<Tried<BlockFailure>> {
  return scope.place(name, async (location) => {
    const inner = scope.inner(location);
    try {
      const value = await inner.run(() => run(scope.life.owner.workflowContext(inner)));
      if (scope.signal.aborted) return await noMore();
      return { ok: true, value };
    } catch (cause) {
      if (scope.signal.aborted || isMisfit(cause)) throw cause;
      const failure = failureOf(scope, name, cause);
      if (!isCaught(failure, kinds)) throw cause;
      return { ok: false, failure };
    }
  });
}

function failureOf({ life }: Scope, name: string, cause: unknown): BlockFailure {
  const known = typeof cause === "object" && cause !== null ? life.failures.get(cause) : undefined;
  return known ?? { source: "block", name, error: storedError(cause) };
}

function isCaught({ source, step, error }: BlockFailure, kinds: readonly string[]): boolean {
  if (step?.kind === "rollback" || error.name === "RollbackError") return kinds.includes("rollback");
  return source !== "block" && kinds.includes(source);
}

/** The kinds that a config names. Throws `workflow.invalid_option`. */
export function caughtKinds(value: unknown): readonly string[] | undefined {
  if (value === undefined || Array.isArray(value)) return value as readonly string[] | undefined;
  throw workflowErrors.invalidOption("catch", "a list of kinds");
}
