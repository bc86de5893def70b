/** Whether a caller may call an action: `canCall` of its definition. */
import type { TroupeError } from "@troupe/base";
import { accessErrors, actorErrors } from "../../errors.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { MaybePromise } from "../../ports/storage.ts";
import type { CallRules } from "../call-rules.ts";
import type { CallRun } from "./call-run.ts";
import { withTimeout } from "./timeout.ts";

/** Throws, or rejects with, `auth.forbidden` when the caller may not, and what the guard throws. At once where nobody waits. */
export function checkAccess(rules: CallRules, run: CallRun, call: ActionCall): MaybePromise<void> {
  const rule = rules.get(call.name);
  if (rule === undefined) return;
  if (rule === "internal") {
    if (call.caller === undefined) throw accessErrors.mayNotCall(call.name);
    return;
  }
  const { activation } = run;
  const asked = activation.enter(() => rule(run.context, call.name), run);
  if (!(asked instanceof Promise)) return check(asked, call.name);
  const timeoutMs = activation.descriptor.options.onBeforeConnectTimeout;
  const late = (): TroupeError => actorErrors.hookTimedOut("canCall", timeoutMs);
  return withTimeout(activation.env, asked, timeoutMs, late).then((allowed) => check(allowed, call.name));
}

/** Why the caller may not, if so. Never rejects. */
export async function refusalOf(
  run: CallRun,
  call: ActionCall,
): Promise<{ readonly cause: unknown } | undefined> {
  const { callRules } = run.activation.behaviour;
  if (callRules === undefined) return undefined;
  try {
    await checkAccess(callRules, run, call);
    return undefined;
  } catch (cause) {
    return { cause };
  }
}

function check(allowed: unknown, action: string): void {
  if (typeof allowed !== "boolean") throw accessErrors.invalidGuard(action);
  if (!allowed) throw accessErrors.mayNotCall(action);
}
