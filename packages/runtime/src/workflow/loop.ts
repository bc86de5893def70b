/**
 * A loop: its state and the number of its round are one entry, which is written at the end of each round, in the turn of
 * the round's last step where nothing comes between. So a later life begins with the round that went on. Rounds that are
 * over are kept for people to see, as many as the loop says.
 */
import { cloneValue, limits } from "@troupe/protocol";
import { workflowErrors } from "./errors.ts";
import { roundOf } from "./location.ts";
import { noMore, type Place, type Scope } from "./scope.ts";

/** A loop that is to be run. */
export interface LoopSettings {
  readonly name: string;
  readonly state: unknown;
  readonly run: (ctx: unknown, state: unknown) => unknown;
  readonly pruneInterval: number;
  readonly size: number;
}

/** Runs it to its end; what it was left with. */
export function runLoop(scope: Scope, settings: LoopSettings): Promise<unknown> {
  return scope.at(settings.name, "loop", async (place) => {
    if (place.entry?.done === true) return cloneValue(place.entry.output);
    let round = place.entry?.round ?? 0;
    let state = cloneValue(place.entry === undefined ? settings.state : place.entry.state);
    if (place.entry === undefined) {
      place.checkNew();
      place.put({ kind: "loop", round, state: cloneValue(state), done: false });
    }
    for (;;) {
      const result = await oneRound(scope, place, { settings, round, state });
      if ("break" in result) return cloneValue(result.value);
      round += 1;
      state = result.state;
    }
  });
}

type Result = { readonly break: true; readonly value: unknown } | { readonly state: unknown };

interface Round {
  readonly settings: LoopSettings;
  readonly round: number;
  readonly state: unknown;
}

async function oneRound(
  scope: Scope,
  place: Place<"loop">,
  { settings, round, state }: Round,
): Promise<Result> {
  const { life } = scope;
  const { owner, history, rollbacks } = life;
  const location = roundOf(place.location, round);
  const inner = scope.inner(location);
  const pauses = life.pauses;
  const given = await inner.run(() => settings.run(owner.workflowContext(inner), state));
  if (scope.signal.aborted) return await noMore();
  rollbacks.forget(location);
  const result = resultOf(settings.name, given, state);
  const over = "break" in result;
  const next = round + 1;
  const after = over
    ? ({ kind: "loop", round, state: null, done: true, output: cloneValue(result.value) } as const)
    : ({ kind: "loop", round: next, state: cloneValue(result.state), done: false } as const);
  place.put(after);
  if (over || next % settings.pruneInterval === 0) history.forgetRounds(place.location, next - settings.size);
  // A round that waited for nothing would keep its turn from ending, and with it the whole process.
  if (!over && pauses === life.pauses) await new Promise<void>((resolve) => owner.env.afterTurn(resolve));
  return result;
}

function resultOf(name: string, given: unknown, state: unknown): Result {
  if (given === undefined && state === undefined) return { state };
  if (typeof given === "object" && given !== null) {
    if ("break" in given && given.break === true)
      return { break: true, value: "value" in given ? given.value : undefined };
    if ("continue" in given && given.continue === true)
      return { state: cloneValue("state" in given ? given.state : undefined) };
  }
  throw workflowErrors.loopUndefined(name);
}

/** Fills in what a loop's config leaves open. Throws `workflow.invalid_option`. */
export function loopSettings(config: Readonly<Record<string, unknown>>): LoopSettings {
  const { name, run, state } = config;
  if (typeof run !== "function") throw workflowErrors.invalidOption("run", "a function");
  const number = (usual: number, least: number, ...options: readonly string[]): number => {
    const option = options.find((key) => config[key] !== undefined) ?? "";
    const value = config[option] ?? usual;
    if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
    throw workflowErrors.invalidOption(option, `a whole number, ${least} or more`);
  };
  const usual = limits.workflowLoopRounds;
  const pruneInterval = number(usual, 1, "historyPruneInterval", "commitInterval", "historyEvery");
  const size = number(pruneInterval, 0, "historySize", "historyKeep");
  return { name: name as string, state, run: run as LoopSettings["run"], pruneInterval, size };
}
