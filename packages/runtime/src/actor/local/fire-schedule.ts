/** The schedules of an activation, and what happens when one of their calls is due. */
import { cloneValue } from "@troupe/protocol";
import { failureOf, type ScheduleFailure } from "../../schedule/failure.ts";
import type { DueCall } from "../../schedule/owner.ts";
import { Schedules } from "../../schedule/schedule.ts";
import { capturedTrace, parentOf } from "../../traced/tracing.ts";
import { inWorkScope } from "../../traced/work-scope.ts";
import type { ScheduledFireInfo } from "../types/schedule.ts";
import type { Activation } from "./activation.ts";
import { runAction } from "./call.ts";
import { durable } from "./durable.ts";

/** The schedules of one activation: none yet. */
export function openSchedules(activation: Activation): Schedules {
  return new Schedules(activation.env, {
    wrote: () => activation.wrote(),
    fire: (call) => fire(activation, call),
    whenKnown: (begin, failed) => {
      if (activation.store.durable === undefined) begin();
      else void beginWhenKnown(activation, begin, failed);
    },
    trace: () => activation.relay && capturedTrace(activation.relay),
    maxSchedules: activation.descriptor.options.maxSchedules,
    stored: activation.store,
  });
}

/** The actor stays awake meanwhile; what is due when it ends is left for its next life. */
async function beginWhenKnown(activation: Activation, begin: () => void, failed: () => void): Promise<void> {
  activation.work.begin("schedule");
  try {
    await durable(activation);
    if (!activation.stopping && !activation.doomed) begin();
  } catch {
    failed();
  } finally {
    activation.work.end("schedule");
  }
}

/**
 * Runs a due call; settles with what it failed with, and logs it. Rejects only when the activation ended meanwhile, so
 * that the call is kept.
 */
async function fire(activation: Activation, call: DueCall): Promise<ScheduleFailure | undefined> {
  const { kind, id, name, action, args, scheduledAt, firedAt, attempt } = call;
  const info: ScheduledFireInfo = {
    kind,
    id,
    ...(name === undefined ? {} : { name }),
    scheduledAt,
    firedAt,
    ...(attempt === 1 ? {} : { attempt }),
  };
  activation.work.begin("schedule");
  try {
    // A copy: what the action does to it is not what the next try gets.
    await traced(activation, call, [...args.map((value) => cloneValue(value)), info]);
    return undefined;
  } catch (cause) {
    if (activation.phase.tag === "stopped") throw cause;
    activation.log.error("a scheduled call failed", { action, scheduleId: id, attempt, cause });
    return failureOf(cause);
  } finally {
    activation.work.end("schedule");
  }
}

/** In a scope below the one that scheduled it, and asked of the guardrails of actions, where there is a relay. */
async function traced(activation: Activation, call: DueCall, args: readonly unknown[]): Promise<void> {
  const { relay, record } = activation;
  const { action, trace, scheduledAt, firedAt, attempt } = call;
  if (relay === undefined) {
    await runAction(activation, action, args);
    return;
  }
  const parent = parentOf(relay, trace);
  if (relay.has("action_conditional_execution_guardrail", parent)) {
    const { name: actor, id: actorId, key } = record;
    await relay.actionConditionalExecution({ actor, actorId, key, action, args, message: false }, { parent });
  }
  const facts = { "troupe.late_ms": firedAt - scheduledAt, "troupe.attempt": attempt };
  const stored = (): Promise<void> => durable(activation);
  const work = { record, name: action, kind: "schedule", parent, facts, durable: stored } as const;
  await inWorkScope(relay, work, () => runAction(activation, action, args));
}
