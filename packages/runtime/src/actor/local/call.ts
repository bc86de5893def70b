/**
 * One action: from the call to the output that answers it.
 *
 * The common case, an action that returns without waiting, passes through here in one go: no promise, no timer. Its
 * reply is encoded at once and goes to the gate, behind everything that was sent before.
 *
 * Whatever user code returns or throws, a Proxy that throws at every touch too, the call ends once: its answer is made
 * under one try, as is all that looks at a result, and `end` comes after it.
 */
import { limits } from "@troupe/protocol";
import { actorErrors, notRetryable } from "../../errors.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { Output } from "../../ports/output.ts";
import type { Hook } from "../behaviour.ts";
import type { Activation } from "./activation.ts";
import type { Connection } from "./connection.ts";
import { abortCall, CallContext, releaseCall } from "./context.ts";
import { drainFlow, isFlow, startFlow } from "./flow-call.ts";
import { withTimeout } from "./timeout.ts";

/** Starts an action on a running activation. Never throws; the end goes to the call's reply. */
export function startCall(activation: Activation, call: ActionCall): void {
  const action = activation.behaviour.actions.get(call.name);
  if (action === undefined) {
    say(activation, call.reply.error(actorErrors.actionNotFound(activation.record.name, call.name)));
    return;
  }
  activation.work.begin("action");
  if (call.connection === undefined && !activation.behaviour.plainConnections) {
    void callWithHooks(activation, call, action);
    return;
  }
  const c = new CallContext(activation, call);
  call.began?.();
  let output: Output;
  try {
    const result = invoke(activation, call.name, action, c, call.args);
    if (isThenable(result) || activation.behaviour.hooks.onBeforeActionResponse !== undefined) {
      void answerLater(activation, call, c, result);
      return;
    }
    if (isFlow(result)) {
      void startFlow(activation, call, c, result);
      return;
    }
    output = call.reply.ok(result);
  } catch (cause) {
    output = call.reply.error(notRetryable(cause));
  }
  end(activation, c, output);
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
    const result = await timed(activation, name, c, invoke(activation, name, action, c, args));
    if (!isFlow(result)) return result;
    await drainFlow(activation, result);
    return undefined;
  } finally {
    releaseCall(c);
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

/** A stateless call to an actor with connect hooks: its connection lasts as long as the call. Never rejects. */
async function callWithHooks(activation: Activation, call: ActionCall, action: Hook): Promise<void> {
  let connection: Connection;
  try {
    connection = await activation.connections.open({ params: call.params, request: call.request });
  } catch (cause) {
    // A connect hook refused. It ran, as far as it came.
    say(activation, call.reply.error(notRetryable(cause)));
    activation.work.end("action");
    return;
  }
  if (activation.doomed) {
    // Its end was asked for while the hooks ran.
    say(activation, call.reply.error(actorErrors.destroyed()));
    activation.work.end("action");
    await connection.end();
    return;
  }
  const c = new CallContext(activation, { connection, request: call.request });
  call.began?.();
  const started = start(() => invoke(activation, call.name, action, c, call.args));
  await answerLater(activation, call, c, started);
  await connection.end();
}

/** What `first` returns or throws, as a promise. */
async function start(first: () => unknown): Promise<unknown> {
  return await first();
}

/** Never rejects. */
async function answerLater(
  activation: Activation,
  call: ActionCall,
  c: CallContext,
  result: unknown,
): Promise<void> {
  let output: Output;
  try {
    let value = await timed(activation, call.name, c, result);
    const transform = activation.behaviour.hooks.onBeforeActionResponse;
    if (transform !== undefined) {
      const before = value;
      const transformed = activation.enter(() => transform(c, call.name, [...call.args], before));
      value = await timed(activation, call.name, c, transformed);
    }
    if (isFlow(value)) return await startFlow(activation, call, c, value);
    output = call.reply.ok(value);
  } catch (cause) {
    output = call.reply.error(notRetryable(cause));
  }
  end(activation, c, output);
}

/** The call is over: its answer goes on its way, and nothing waits for it any more. */
function end(activation: Activation, c: CallContext, output: Output): void {
  say(activation, output);
  releaseCall(c);
  activation.work.end("action");
}

/** Sends what answers a call. Never throws: what goes wrong on the way out (a socket that breaks) must not keep the call from ending. */
export function say(activation: Activation, output: Output): void {
  try {
    activation.emit(output);
  } catch (cause) {
    activation.log.error("an answer could not be sent", { cause });
  }
}

/** Waits for an action that waits, at most its time; then its caller is told, and what it still writes counts. */
function timed(activation: Activation, name: string, c: CallContext, result: unknown): unknown {
  if (!isThenable(result)) return result;
  const timeoutMs = activation.descriptor.options.actionTimeout;
  return withTimeout(activation.env, Promise.resolve(result), timeoutMs, () => {
    const error = actorErrors.actionTimedOut(name, timeoutMs);
    abortCall(c, error);
    return error;
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
