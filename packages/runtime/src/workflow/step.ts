/**
 * A step: code with effects. It begins when every earlier entry is durable, and its result is an entry of the turn in which
 * its code ends; what that turn wrote, sent and took goes with it in one batch. So after a crash a step has happened with
 * all that its last turn did, or it happens again. An attempt that failed is an entry as well, with what it wrote; one
 * that the end of the activation cut short is none.
 */
import { cloneValue, limits } from "@troupe/protocol";
import type { StepEntry } from "./entry.ts";
import { workflowErrors } from "./errors.ts";
import { type StepFailure, type StepFailureKind, storedError, toldError } from "./failure.ts";
import { CANCELLED, noMore, type Place, type Scope } from "./scope.ts";

/** A step that is to be done. */
export interface StepSettings {
  readonly name: string;
  readonly run: (step: unknown) => unknown;
  readonly rollback?: ((step: unknown, output: unknown) => unknown) | undefined;
  readonly ephemeral: boolean;
  readonly maxRetries: number;
  readonly retryBackoffBase: number;
  readonly retryBackoffMax: number;
  /** Milliseconds; `Infinity` for none. */
  readonly timeout: number;
  readonly retryOnTimeout: boolean;
}

/** How it ended. */
export type StepOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: StepFailure };

/** Does a step, or finds that it was done. */
export function runStep(scope: Scope, settings: StepSettings): Promise<StepOutcome> {
  return scope.at(settings.name, "step", async (place) => {
    const { rollbacks } = scope.life;
    const { name, rollback } = settings;
    if (rollback !== undefined && !rollbacks.armed) throw workflowErrors.checkpointMissing(name);
    const entry = await ended(scope, place, settings);
    if (entry.status !== "completed") return { ok: false, failure: failureOf(name, entry) };
    if (rollback !== undefined) {
      const { location } = place;
      const output = cloneValue(entry.output);
      rollbacks.add({ location, name, output, timeoutMs: settings.timeout, undo: rollback });
    }
    return { ok: true, value: cloneValue(entry.output) };
  });
}

/** The error that a workflow's code gets of it. */
export function stepError(scope: Scope, failure: StepFailure): Error {
  const error = workflowErrors.step(failure);
  const { stepName: name, error: of } = failure;
  scope.life.failures.set(error, { source: "step", name, error: of, step: failure });
  return error;
}

async function ended(scope: Scope, place: Place<"step">, settings: StepSettings): Promise<StepEntry> {
  let entry = place.entry;
  while (entry === undefined || entry.status === "failed") {
    place.checkNew();
    if (entry !== undefined) await scope.until(entry.at + backoffMs(settings, entry.attempts));
    entry = await attempt(scope, place, settings, (entry?.attempts ?? 0) + 1);
  }
  return entry;
}

async function attempt(
  scope: Scope,
  place: Place<"step">,
  settings: StepSettings,
  number: number,
): Promise<StepEntry> {
  const { owner } = scope.life;
  if (!settings.ephemeral) await scope.durable();
  const step = owner.stepContext(settings.name, scope.signal);
  scope.activity.stepBegins();
  try {
    const ended = await attempted(scope, place, { settings, number, context: step.context });
    if (ended !== undefined) return ended;
  } finally {
    step.end();
    scope.activity.stepEnds();
  }
  return await noMore();
}

interface Attempt {
  readonly settings: StepSettings;
  readonly number: number;
  readonly context: unknown;
}

/** Nothing: it was cut short, and its code goes no further. */
async function attempted(
  scope: Scope,
  place: Place<"step">,
  { settings, number, context }: Attempt,
): Promise<StepEntry | undefined> {
  const { owner } = scope.life;
  const { name, timeout } = settings;
  let timedOut = false;
  let storing = false;
  try {
    const running = owner.enterStep(name, async () => settings.run(context));
    const value = await owner.within(running, timeout, () => {
      timedOut = true;
      return workflowErrors.stepTimedOut(name, timeout);
    });
    if (isCancelled(scope)) return undefined;
    const entry = { kind: "step", status: "completed", attempts: number, at: owner.env.clock.now() } as const;
    storing = true;
    return put(place, { ...entry, output: cloneValue(value) });
  } catch (cause) {
    // What the end of the activation, or of the race, cut short, didn't fail.
    if (scope.signal.aborted) return undefined;
    // A result that can't be stored is the same the next time.
    const kind = storing ? "critical" : kindOf(cause, timedOut, settings);
    return failed(scope, place, settings, { number, cause, kind });
  }
}

/** Its branch has lost: nobody wants the result. At the end of an activation the result counts. */
function isCancelled({ signal }: Scope): boolean {
  return signal.aborted && signal.reason === CANCELLED;
}

function put(place: Place<"step">, entry: StepEntry): StepEntry {
  place.put(entry);
  return entry;
}

interface FailedAttempt {
  readonly number: number;
  readonly cause: unknown;
  /** Absent when it may be tried again. */
  readonly kind: StepFailureKind | undefined;
}

function failed(
  scope: Scope,
  place: Place<"step">,
  settings: StepSettings,
  { number, cause, kind }: FailedAttempt,
): StepEntry {
  const { life } = scope;
  const { name, maxRetries } = settings;
  const at = life.owner.env.clock.now();
  const remainingRetries = kind === undefined ? maxRetries - number + 1 : 0;
  const willRetry = remainingRetries > 0;
  const retryDelay = backoffMs(settings, number);
  const again = willRetry ? { retryDelay, retryAt: at + retryDelay } : {};
  const about = { workflowId: life.id, stepName: name, attempt: number, maxRetries };
  life.report({ step: { ...about, remainingRetries, willRetry, ...again, error: toldError(cause) } });
  const entry = { kind: "step", attempts: number, at, error: storedError(cause) } as const;
  if (willRetry) return put(place, { ...entry, status: "failed" });
  return put(place, { ...entry, status: "exhausted", failure: kind ?? "exhausted" });
}

function kindOf(cause: unknown, timedOut: boolean, settings: StepSettings): StepFailureKind | undefined {
  if (timedOut) return settings.retryOnTimeout ? undefined : "timeout";
  return cause instanceof Error ? lastKinds.get(cause.name) : undefined;
}

/** What isn't tried again: by its name, so that a class of another copy of this package is known as well. */
const lastKinds: ReadonlyMap<string, StepFailureKind> = new Map([
  ["CriticalError", "critical"],
  ["RollbackError", "rollback"],
]);

function failureOf(stepName: string, entry: StepEntry): StepFailure {
  const error = entry.error ?? { name: "Error", message: "" };
  return { kind: entry.failure ?? "exhausted", stepName, attempts: entry.attempts, error };
}

/** The wait behind an attempt that failed. */
function backoffMs({ retryBackoffBase, retryBackoffMax }: StepSettings, attempts: number): number {
  return Math.min(retryBackoffMax, retryBackoffBase * 2 ** Math.min(attempts - 1, 32));
}

/** Fills in what a step's config leaves open. Throws `workflow.invalid_option`. */
export function stepSettings(config: Readonly<Record<string, unknown>>): StepSettings {
  const { name, run, rollback } = config;
  if (typeof run !== "function") throw workflowErrors.invalidOption("run", "a function");
  if (rollback !== undefined && typeof rollback !== "function")
    throw workflowErrors.invalidOption("rollback", "a function");
  const number = (option: string, usual: number): number => {
    const value = config[option] ?? usual;
    if (typeof value === "number" && value >= 0) return value;
    throw workflowErrors.invalidOption(option, "a number, 0 or more");
  };
  const timeout = number("timeout", limits.workflowStepMs);
  return {
    name: name as string,
    run: run as StepSettings["run"],
    rollback: rollback as StepSettings["rollback"],
    ephemeral: config["ephemeral"] === true,
    maxRetries: number("maxRetries", limits.workflowRetries),
    retryBackoffBase: number("retryBackoffBase", limits.workflowRetryMs),
    retryBackoffMax: number("retryBackoffMax", limits.workflowRetryLongestMs),
    timeout: timeout === 0 ? Infinity : timeout,
    retryOnTimeout: config["retryOnTimeout"] === true,
  };
}
