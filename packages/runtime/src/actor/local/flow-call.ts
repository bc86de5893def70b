/**
 * An action whose result comes in items: an async generator, or anything that can be iterated asynchronously.
 *
 * The call goes on until the last item: it counts as an action in flight, keeps the actor awake, and a stop waits for it
 * within the grace period. `actionTimeout` is the time that it may take for each next item; a time that the caller named is
 * for all of them. The caller may end it at any moment: then `c.abortSignal` fires, and the generator's `return` runs.
 */
import { actorErrors, callErrors } from "../../errors.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { CallRun } from "./call-run.ts";
import { enterFlow, leaveFlow } from "./flow-chain.ts";
import { Pump } from "./pump.ts";

/** Lets a result flow to its caller; settles when it is over. Throws what the result's iterator throws. */
export function startFlow(run: CallRun, call: ActionCall, result: AsyncIterable<unknown>): Promise<void> {
  const { activation } = run;
  const { clock, timers } = activation.env;
  const timeoutMs = activation.descriptor.options.actionTimeout;
  enterFlow(activation, run);
  const source = activation.enter(() => result[Symbol.asyncIterator](), run);
  return new Promise((resolve) => {
    const pump = new Pump<unknown>({
      activation,
      running: run,
      source,
      silenceMs: timeoutMs,
      timedOut: () => actorErrors.actionTimedOut(call.name, timeoutMs),
      ended: (reason) => {
        if (deadline !== undefined) timers.clear(deadline);
        if (reason !== undefined) run.abandon(reason);
        run.release();
        activation.work.end("action");
        resolve();
      },
    });
    const tooLate = (): void => pump.fail(callErrors.deadlineExceeded());
    const deadline =
      call.until === undefined
        ? undefined
        : timers.set(tooLate, Math.max(0, call.until - clock.monotonic()), { background: true });
    pump.start(call.reply.flow(pump));
  });
}

/** Runs a result to its end for nobody: a scheduled action's. */
export async function drainFlow(run: CallRun, result: AsyncIterable<unknown>): Promise<void> {
  const { activation } = run;
  enterFlow(activation, run);
  try {
    const source = activation.enter(() => result[Symbol.asyncIterator](), run);
    while ((await activation.enter(() => source.next(), run)).done !== true);
  } finally {
    await leaveFlow(activation, run);
  }
}
