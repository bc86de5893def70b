/** User code that isn't an action, in a scope, where there is a relay. */
import { inWorkScope } from "../../traced/work-scope.ts";
import type { Activation } from "./activation.ts";
import { turnDurable } from "./durable.ts";

/** A hook of one caller, or of what the actor does: it is a part of what goes on. */
export function asHook<R>(activation: Pick<Activation, "relay" | "record">, name: string, fn: () => R): R {
  const { relay, record } = activation;
  return relay === undefined ? fn() : inWorkScope(relay, { record, name, kind: "hook" }, fn);
}

/** A hook of the actor's life. Behind its start it belongs to nothing that goes on: a timer of anybody's may have led to it. */
export function asLifeHook<R>(
  activation: Pick<Activation, "relay" | "record" | "phase">,
  name: string,
  fn: () => R,
): R {
  const { relay, record, phase } = activation;
  if (relay === undefined) return fn();
  const parent = phase.tag === "loading" ? undefined : relay.createScopeStack();
  return inWorkScope(relay, { record, name, kind: "hook", parent }, fn);
}

/**
 * As long as `run` goes on it is a scope, of its own: it belongs to nothing that woke the actor. Workflows have scopes of
 * their own instead, which go on over activations.
 */
export function asRun<R>(
  { relay, record, behaviour }: Pick<Activation, "relay" | "record" | "behaviour">,
  run: () => R,
): R {
  if (relay === undefined || behaviour.workflow !== undefined) return run();
  return inWorkScope(relay, { record, name: "run", kind: "run", parent: relay.createScopeStack() }, run);
}

/** One attempt at a step of a workflow, below the workflow's scope. Its end says what became of its result. */
export function asStep<R>(
  activation: Pick<Activation, "relay" | "record" | "env" | "gate" | "store">,
  name: string,
  step: () => R,
): R {
  const { relay, record } = activation;
  if (relay === undefined) return step();
  return inWorkScope(relay, { record, name, kind: "step", durable: () => turnDurable(activation) }, step);
}
