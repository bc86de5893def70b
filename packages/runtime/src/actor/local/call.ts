/**
 * One action: from the call to the output that answers it.
 *
 * The common case, an action that returns without waiting, passes through here in one go: no promise, no timer. Its
 * reply is encoded at once and goes to the gate, behind everything that was sent before.
 */
import { limits } from "@troupe/protocol";
import { actorErrors, notRetryable } from "../../errors.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { Output } from "../../ports/output.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import { CallContext } from "./context.ts";
import { withTimeout } from "./timeout.ts";

/** Starts an action on a running activation. Never throws; the end goes to the call's reply. */
export function startCall(activation: Activation, call: ActionCall): void {
  const action = activation.behaviour.actions.get(call.name);
  if (action === undefined) {
    activation.emit(call.reply.error(actorErrors.actionNotFound(activation.record.name, call.name)));
    return;
  }
  activation.work.begin("action");
  if (call.connection === undefined && !activation.behaviour.plainConnections) {
    void callWithHooks(activation, call, action);
    return;
  }
  const c = new CallContext(activation, call);
  let result: unknown;
  try {
    result = invoke(activation, call.name, action, c, call.args);
  } catch (cause) {
    answerError(activation, call, c, cause);
    return;
  }
  if (isThenable(result) || activation.behaviour.hooks.onBeforeActionResponse !== undefined) {
    void answerLater(activation, call, c, result);
    return;
  }
  answer(activation, call, c, result);
}

/** Runs an action for the actor itself: a schedule. Settles with its result. */
export async function runAction(
  activation: Activation,
  name: string,
  args: readonly unknown[],
): Promise<unknown> {
  const action = activation.behaviour.actions.get(name);
  if (action === undefined) throw actorErrors.actionNotFound(activation.record.name, name);
  const c = new CallContext(activation, {});
  try {
    return await timed(activation, name, c, invoke(activation, name, action, c, args));
  } finally {
    c.release();
  }
}

/** Runs the action's first turn, and names it in the log when it holds up the event loop. */
function invoke(
  activation: Activation,
  name: string,
  action: Hook,
  c: CallContext,
  args: readonly unknown[],
): unknown {
  const { clock } = activation.env;
  const started = clock.monotonic();
  try {
    return activation.enter(() => action(c, ...args));
  } finally {
    const stalledMs = clock.monotonic() - started;
    if (stalledMs > limits.eventLoopStallMs) {
      activation.log.warn("an action held up the event loop", { action: name, ms: Math.round(stalledMs) });
    }
  }
}

/** A stateless call to an actor with connect hooks: its connection lasts as long as the call. */
async function callWithHooks(activation: Activation, call: ActionCall, action: Hook): Promise<void> {
  try {
    const connection = await activation.connections.open({ params: call.params, request: call.request });
    const c = new CallContext(activation, { connection, request: call.request });
    try {
      await answerLater(activation, call, c, invoke(activation, call.name, action, c, call.args));
    } catch (cause) {
      answerError(activation, call, c, cause);
    }
    await connection.end();
  } catch (cause) {
    // A connect hook refused.
    activation.emit(call.reply.error(cause));
    activation.work.end("action");
  }
}

/** Never rejects. */
async function answerLater(
  activation: Activation,
  call: ActionCall,
  c: CallContext,
  result: unknown,
): Promise<void> {
  let output: unknown;
  try {
    output = await timed(activation, call.name, c, result);
    const transform = activation.behaviour.hooks.onBeforeActionResponse;
    if (transform !== undefined) {
      const before = output;
      const transformed = activation.enter(() => transform(c, call.name, [...call.args], before));
      output = await timed(activation, call.name, c, transformed);
    }
  } catch (cause) {
    answerError(activation, call, c, cause);
    return;
  }
  answer(activation, call, c, output);
}

function answer(activation: Activation, call: ActionCall, c: CallContext, value: unknown): void {
  let output: Output;
  try {
    output = call.reply.ok(value);
  } catch (cause) {
    output = call.reply.error(cause);
  }
  end(activation, c, output);
}

function answerError(activation: Activation, call: ActionCall, c: CallContext, cause: unknown): void {
  end(activation, c, call.reply.error(notRetryable(cause)));
}

function end(activation: Activation, c: CallContext, output: Output): void {
  activation.emit(output);
  c.release();
  activation.work.end("action");
}

/** Waits for an action that waits, at most its time; then its caller is told, and what it still writes counts. */
function timed(activation: Activation, name: string, c: CallContext, result: unknown): unknown {
  if (!isThenable(result)) return result;
  const timeoutMs = activation.descriptor.options.actionTimeout;
  return withTimeout(activation.env, Promise.resolve(result), timeoutMs, () => {
    const error = actorErrors.actionTimedOut(name, timeoutMs);
    c.abortCall(error);
    return error;
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
