/** One hook of the user's: runs as its actor, within its time, and ends what it has taken from a queue. */
import { actorErrors } from "../../errors.ts";
import { inWorkScope } from "../../traced/work-scope.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { type Caller, CallRun } from "./call-run.ts";
import { releaseContext } from "./context.ts";
import { withTimeout } from "./timeout.ts";

/** A hook that is due. */
export interface DueHook {
  readonly name: string;
  readonly timeoutMs: number;
  readonly fn: Hook;
  /** The context is the first one. */
  readonly args: readonly unknown[];
  /** One caller has brought it about: it is a part of what that one does. */
  readonly callers?: boolean;
}

/** Runs it. Rejects with what it throws, or `actor.hook_timed_out`. */
export async function runHook(activation: Activation, hook: DueHook): Promise<unknown> {
  const { name, timeoutMs, args } = hook;
  activation.work.begin("hook");
  let failed = true;
  try {
    const result = activation.enter(() => traced(activation, hook));
    const timedOut = () => actorErrors.hookTimedOut(name, timeoutMs);
    const value = await (result instanceof Promise
      ? withTimeout(activation.env, result, timeoutMs, timedOut)
      : result);
    failed = false;
    return value;
  } finally {
    releaseContext(args[0], failed);
    activation.work.end("hook");
  }
}

/** In a scope, where there is a relay. What is no part of a start or of a call belongs to nothing that goes on. */
function traced(activation: Activation, { name, fn, args, callers }: DueHook): unknown {
  const { relay, record, phase } = activation;
  if (relay === undefined) return fn(...args);
  const parent = callers === true || phase.tag === "loading" ? undefined : relay.createScopeStack();
  return inWorkScope(relay, { record, name, kind: "hook", parent }, () => fn(...args));
}

/** Runs a hook that one caller has brought about, with a context of its own, which ends with it: `args` are the others. */
export async function runCallersHook(
  activation: Activation,
  caller: Caller,
  hook: DueHook,
): Promise<unknown> {
  const run = new CallRun(activation, caller);
  const fn: Hook = (...args) => activation.enter(() => hook.fn(...args), run);
  try {
    return await runHook(activation, { ...hook, fn, args: [run.context, ...hook.args], callers: true });
  } catch (cause) {
    run.abandon(cause);
    throw cause;
  } finally {
    run.release();
  }
}
