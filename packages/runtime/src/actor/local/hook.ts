/** One hook of the user's: runs as its actor, within its time, and ends what it has taken from a queue. */
import { actorErrors } from "../../errors.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { type Caller, CallRun } from "./call-run.ts";
import { releaseContext } from "./context.ts";
import { asHook, asLifeHook } from "./hook-scope.ts";
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
  const { name, timeoutMs, fn, args } = hook;
  const scoped = hook.callers === true ? asHook : asLifeHook;
  activation.work.begin("hook");
  let failed = true;
  try {
    const result = activation.enter(() => scoped(activation, name, () => fn(...args)));
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
