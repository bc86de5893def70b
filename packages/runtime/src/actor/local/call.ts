/**
 * One action: from the call to the output that answers it.
 *
 * The common case, an action that returns without waiting, passes through here in one go: no promise, no timer. Its
 * reply is encoded at once and goes to the gate, behind everything that was sent before.
 *
 *   called → its turn (serial actors) → connect hooks (stateless calls) → may it? (`canCall`) → its key (idempotency) →
 *   its arguments are checked → the action → onBeforeActionResponse → the answer
 *
 * Each step is there only for those who want it. A call that is refused on the way has run nothing behind that.
 *
 * Whatever user code returns or throws, a Proxy that throws at every touch too, the call ends once: its answer is made
 * under one try, as is all that looks at a result, and `end` comes after it.
 */
import { limits } from "@troupe/protocol";
import { abortOf, actorErrors, callErrors, idempotencyErrors, notRetryable } from "../../errors.ts";
import type { ActionCall, ActionScope } from "../../ports/instance.ts";
import type { Output } from "../../ports/output.ts";
import { andThen } from "../../storage/overlay.ts";
import type { Hook } from "../behaviour.ts";
import { checkedArgs, checkedParams } from "../schemas.ts";
import type { Activation } from "./activation.ts";
import { answer, say } from "./answer.ts";
import { checkAccess, refusalOf } from "./call-access.ts";
import { CallLimit } from "./call-limit.ts";
import { CallRun } from "./call-run.ts";
import type { Connection } from "./connection.ts";
import type { Entry } from "./entries.ts";
import { drainFlow, startFlow } from "./flow-call.ts";
import { leaveFlow } from "./flow-chain.ts";
import type { KeepingReply } from "./keyed-calls.ts";
import { isFlow } from "./pieces.ts";
import { entriesOf } from "./shared-by-calls.ts";
import { withTimeout } from "./timeout.ts";

/** Starts an action on a running activation. Never throws; the end goes to the call's reply. */
export function startCall(activation: Activation, call: ActionCall, scope?: ActionScope): void {
  const action = activation.behaviour.actions.get(call.name);
  if (action === undefined) {
    const meant = activation.services.meantAction?.(activation, call);
    say(activation, call.reply.error(actorErrors.actionNotFound(activation.record.name, call.name, meant)));
    return;
  }
  if (call.until !== undefined && call.until <= activation.env.clock.monotonic()) {
    say(activation, call.reply.error(callErrors.deadlineExceeded()));
    return;
  }
  activation.work.begin("action");
  const entries = entriesOf(activation);
  if (entries === undefined) {
    begin(new CallRun(activation, call, { scope }), call, action);
    return;
  }
  let entry: Entry | Promise<Entry>;
  try {
    entry = entries.enter(call);
  } catch (cause) {
    answer(activation, call.reply.error(cause));
    return;
  }
  if (!(entry instanceof Promise)) begin(new CallRun(activation, call, { entry, scope }), call, action);
  else {
    entry.then(
      (turn) => begin(new CallRun(activation, call, { entry: turn, scope }), call, action),
      // Nothing ran: the caller may be told so.
      (cause: unknown) => answer(activation, call.reply.error(cause)),
    );
  }
}

/** Runs an action for the actor itself: a schedule. Settles with its result. */
export async function runAction(
  activation: Activation,
  name: string,
  args: readonly unknown[],
): Promise<unknown> {
  const action = activation.behaviour.actions.get(name);
  if (action === undefined) throw actorErrors.actionNotFound(activation.record.name, name);
  const entry = await entriesOf(activation)?.enter({ own: true });
  const run = new CallRun(activation, {}, { entry });
  const result = started(() => invoke(run, name, action, args));
  try {
    const value = await timed(run, result, { name });
    if (isFlow(value)) await drainFlow(run, value);
    run.returned();
    return isFlow(value) ? undefined : value;
  } finally {
    run.release();
    leaveBehind(run, result);
  }
}

/** Its turn has come. */
function begin(run: CallRun, call: ActionCall, action: Hook): void {
  call.began?.();
  const { plainConnections, schemas } = run.activation.behaviour;
  if (call.connection === undefined) {
    if (!plainConnections) return void callWithHooks(run, call, action);
    if (schemas?.connParams !== undefined && !showParams(run, call, action)) return;
  }
  ifAllowed(run, call, action);
}

/** Runs the action if its caller may call it. */
function ifAllowed(run: CallRun, call: ActionCall, action: Hook): void {
  const { callRules } = run.activation.behaviour;
  if (callRules !== undefined) {
    const refuse = (cause: unknown): void => {
      end(run, call.reply.error(notRetryable(cause)));
      run.entry?.end();
    };
    try {
      const asked = checkAccess(callRules, run, call);
      if (asked !== undefined) return void asked.then(() => proceed(run, call, action), refuse);
    } catch (cause) {
      return refuse(cause);
    }
  }
  proceed(run, call, action);
}

function proceed(run: CallRun, call: ActionCall, action: Hook): void {
  if (call.idempotencyKey === undefined) perform(run, call, action);
  else void performWithKey(run, call, action).then(() => run.entry?.end());
}

/** Checks the parameters of a call without connect hooks. False: it goes on by itself, or has ended. */
function showParams(run: CallRun, call: ActionCall, action: Hook): boolean {
  try {
    const params = checkedParams(run.activation.behaviour.schemas, call.params);
    if (!(params instanceof Promise)) {
      run.connected(run.activation.connections.stateless(params));
      return true;
    }
    void callWithHooks(run, call, action, params);
  } catch (cause) {
    end(run, call.reply.error(notRetryable(cause)));
    run.entry?.end();
  }
  return false;
}

/** Runs the action: in one go, if it doesn't wait. */
function perform(run: CallRun, call: ActionCall, action: Hook): void {
  const { behaviour } = run.activation;
  let output: Output;
  try {
    const args = checkedArgs(behaviour.schemas, call.name, call.args);
    const result =
      args instanceof Promise
        ? args.then((checked) => invoke(run, call.name, action, checked))
        : invoke(run, call.name, action, args);
    if (isThenable(result)) return void answerLater(run, call, Promise.resolve(result));
    if (behaviour.hooks.onBeforeActionResponse !== undefined) return void answerLater(run, call, result);
    if (isFlow(result)) return void startFlow(run, call, result).then(() => run.entry?.end());
    run.returned();
    output = call.reply.ok(result);
  } catch (cause) {
    output = call.reply.error(notRetryable(cause));
  }
  end(run, output);
  run.entry?.end();
}

/** Runs the action once for its key. Its arguments are checked before: what is refused has no result to keep. */
async function performWithKey(run: CallRun, call: ActionCall, action: Hook): Promise<void> {
  const { activation } = run;
  let args: readonly unknown[];
  try {
    args = await checkedArgs(activation.behaviour.schemas, call.name, call.args);
  } catch (cause) {
    end(run, call.reply.error(notRetryable(cause)));
    return;
  }
  const performed = async (reply: KeepingReply): Promise<void> => {
    const result = started(() => invoke(run, call.name, action, args));
    say(activation, await keptOutput(run, { name: call.name, args, untimed: true }, reply, result));
  };
  await activation.calls.keyed.start({ call, run, perform: performed });
  run.release();
}

/** Runs the action's first turn, and names it in the log when it holds up its thread: the event loop, or that of its isolate. */
function invoke(run: CallRun, name: string, action: Hook, args: readonly unknown[]): unknown {
  const { activation } = run;
  // Its end was asked for while the call waited for something.
  if (activation.doomed) throw actorErrors.destroyed();
  const { clock } = activation.env;
  const before = clock.monotonic();
  try {
    return activation.enter(() => action(run.context, ...args), run);
  } finally {
    const stalledMs = clock.monotonic() - before;
    if (stalledMs > limits.eventLoopStallMs) {
      activation.log.warn("an action held up its thread", { action: name, ms: Math.round(stalledMs) });
    }
  }
}

/** A stateless call to an actor with connect hooks: its connection lasts as long as the call. Never rejects. */
async function callWithHooks(
  run: CallRun,
  call: ActionCall,
  action: Hook,
  checked?: Promise<unknown>,
): Promise<void> {
  const { activation } = run;
  let connection: Connection;
  try {
    const { request, params } = call;
    const given = checked === undefined ? { params } : { params: await checked, checked: true };
    connection = await activation.connections.open({ ...given, request }, run.chain);
  } catch (cause) {
    // A connect hook refused. It ran, as far as it came.
    end(run, call.reply.error(notRetryable(cause)));
    run.entry?.end();
    return;
  }
  run.connected(connection);
  let result: Promise<unknown> | undefined;
  const refusal = activation.behaviour.callRules && (await refusalOf(run, call));
  // Its end was asked for while the hooks ran.
  if (activation.doomed) end(run, call.reply.error(actorErrors.destroyed()));
  else if (refusal !== undefined) end(run, call.reply.error(notRetryable(refusal.cause)));
  else if (call.idempotencyKey !== undefined) await performWithKey(run, call, action);
  else {
    const { schemas } = activation.behaviour;
    result = started(() =>
      andThen(checkedArgs(schemas, call.name, call.args), (args) => invoke(run, call.name, action, args)),
    );
    await conclude(run, call, result);
  }
  await activation.enter(() => connection.end(), run);
  leaveBehind(run, result);
}

/** What `first` returns or throws, as a promise; it runs at once. */
async function started(first: () => unknown): Promise<unknown> {
  return await first();
}

/** Never rejects. */
async function answerLater(run: CallRun, call: ActionCall, result: unknown): Promise<void> {
  await conclude(run, call, result);
  leaveBehind(run, result);
}

/** A call as far as its result is concerned. */
interface Concluded extends Pick<ActionCall, "name" | "args" | "until" | "onAbandoned"> {
  /** Somebody else sees to its time. */
  readonly untimed?: boolean;
}

/** Answers a call when its result is there; one that comes in items, until the last one is. Never rejects. */
async function conclude(run: CallRun, call: ActionCall, result: unknown): Promise<void> {
  let output: Output;
  try {
    const value = await resultOf(run, call, result);
    if (isFlow(value)) return await startFlow(run, call, value);
    run.returned();
    output = call.reply.ok(value);
  } catch (cause) {
    output = call.reply.error(notRetryable(cause));
  }
  end(run, output);
}

/** The answer that is kept under a key. Never rejects. */
async function keptOutput(
  run: CallRun,
  call: Concluded,
  reply: KeepingReply,
  result: unknown,
): Promise<Output> {
  try {
    const value = await resultOf(run, call, result);
    if (isFlow(value)) {
      await leaveFlow(run.activation, run);
      throw idempotencyErrors.inItems(call.name);
    }
    run.returned();
    return reply.ok(value);
  } catch (cause) {
    return reply.error(notRetryable(cause));
  }
}

/** What a call comes to, at most in its time. */
async function resultOf(run: CallRun, call: Concluded, result: unknown): Promise<unknown> {
  const { activation } = run;
  call.onAbandoned?.((reason) => run.abandon(abortOf(reason)));
  const value = await timed(run, result, call);
  const transform = activation.behaviour.hooks.onBeforeActionResponse;
  if (transform === undefined) return value;
  const transformed = activation.enter(() => transform(run.context, call.name, [...call.args], value), run);
  return await timed(run, transformed, call);
}

/** The call is over: its answer goes on its way, and nothing waits for it any more. */
function end(run: CallRun, output: Output): void {
  run.release();
  answer(run.activation, output);
}

/** Its code may go on when its caller has been answered: its entry is over when that has ended. */
function leaveBehind(run: CallRun, result: unknown): void {
  const { entry } = run;
  if (entry === undefined) return;
  const over = (): void => entry.end();
  Promise.resolve(result).then(over, over);
}

/** Waits for an action that waits, at most its time; then its caller is told, and what it still writes counts. */
function timed(run: CallRun, result: unknown, call: Pick<Concluded, "name" | "until" | "untimed">): unknown {
  if (!isThenable(result) || call.untimed === true) return result;
  const limit = new CallLimit(run.activation, call);
  return withTimeout(run.activation.env, Promise.resolve(result), limit.ms, () => {
    const error = limit.error();
    run.abandon(error);
    return error;
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
