/**
 * A client begins to listen to an event.
 *
 *   asked ──canSubscribe──▶ admitted ──what it missed is read and sent──▶ in force
 *     └──▶ refused
 *
 * Most events have neither a guard nor anything retained: then the subscription is in force at once. Where something has
 * to be waited for, what the client sent behind it on the same connection waits as well, so that a subscription is in
 * force before an action that was sent after it starts. What is broadcast while the missed events are read is read too:
 * the subscription is in force in the turn in which nothing is left to read.
 */
import type { TroupeError } from "@troupe/base";
import { actorErrors } from "../../errors.ts";
import { eventErrors } from "../../events/errors.ts";
import type { SubscribeAnswer, SubscribeRequest, SubscriptionPlace } from "../../ports/instance.ts";
import type { MaybePromise } from "../../ports/storage.ts";
import { andThen } from "../../storage/overlay.ts";
import type { EventRule } from "../event-rules.ts";
import type { Activation } from "./activation.ts";
import { CallRun } from "./call-run.ts";
import type { Connection } from "./connection.ts";
import { asHook } from "./hook-scope.ts";
import { EventMessage, EventOutput } from "./outputs.ts";
import { withTimeout } from "./timeout.ts";

/** Rounds of reading from afar, after which an actor that speaks faster than it is read is a gap. */
const MOST_ROUNDS = 16;

/** One client's wish. */
interface Wish {
  readonly activation: Activation;
  readonly connection: Connection;
  readonly request: SubscribeRequest;
  readonly answer: SubscribeAnswer;
  readonly rule: EventRule;
}

/** Lets a client listen, or tells it why it may not. Never throws. */
export function subscribe(
  activation: Activation,
  connection: Connection,
  request: SubscribeRequest,
  answer: SubscribeAnswer,
): void {
  const rule = activation.behaviour.events?.get(request.event);
  if (rule === undefined) {
    connection.listen(request.event);
    activation.emit(answer.done(request.resume === undefined ? {} : { gap: true }));
    return;
  }
  const wish = { activation, connection, request, answer, rule };
  connection.inOrder(() => decide(wish));
}

function decide(wish: Wish): MaybePromise<void> {
  if (wish.connection.ended) return;
  const refused = (cause: unknown): void => wish.activation.emit(wish.answer.refused(cause));
  try {
    const entered = andThen(admit(wish), () => enter(wish));
    return entered instanceof Promise ? entered.catch(refused) : undefined;
  } catch (cause) {
    refused(cause);
  }
}

/** Throws, or rejects, when the client may not listen. */
function admit({ activation, connection, request, rule }: Wish): MaybePromise<void> {
  const { canSubscribe } = rule;
  if (canSubscribe === undefined) return;
  const run = new CallRun(activation, { connection, params: connection.params });
  const { event } = request;
  const check = (allowed: unknown): void => {
    run.release();
    if (typeof allowed !== "boolean") throw eventErrors.invalidGuard(event);
    if (!allowed) throw eventErrors.forbidden(event);
  };
  const ask = (): unknown => asHook(activation, "canSubscribe", () => canSubscribe(run.context));
  const asked = activation.enter(ask, run);
  if (!(asked instanceof Promise)) return check(asked);
  const timeoutMs = activation.descriptor.options.onBeforeConnectTimeout;
  const late = (): TroupeError => actorErrors.hookTimedOut("canSubscribe", timeoutMs);
  activation.work.track("hook", asked);
  return withTimeout(activation.env, asked, timeoutMs, late).then(check, (cause: unknown) => {
    run.abandon(cause);
    run.release();
    throw cause;
  });
}

function enter(wish: Wish): MaybePromise<void> {
  const { activation, request, rule } = wish;
  const { event, resume } = request;
  if (rule.retain === 0) return inForce(wish, resume === undefined ? {} : { gap: true });
  const sequence = activation.retained.newest(event);
  if (resume === undefined) return inForce(wish, { sequence });
  // Another one has lived under its key since.
  if (resume.actorId !== activation.record.id) return inForce(wish, { sequence, gap: true });
  return catchUp(wish, resume.after, MOST_ROUNDS);
}

function catchUp(wish: Wish, after: number, rounds: number): MaybePromise<void> {
  const { activation, connection, request } = wish;
  const { event } = request;
  const { retained, descriptor } = activation;
  return andThen(rounds === 0 ? undefined : retained.behind(event, after), (missed) => {
    if (connection.ended) return;
    const newest = retained.newest(event);
    if (missed === undefined) return inForce(wish, { sequence: newest, gap: true });
    for (const { sequence, args } of missed) {
      const { maxOutgoingMessageSize } = descriptor.options;
      const message = new EventMessage(
        { name: event, args, gated: true, sequence },
        [connection],
        maxOutgoingMessageSize,
      );
      activation.emit(new EventOutput(message, [connection]));
    }
    const last = after + missed.length;
    return last === newest ? inForce(wish, { sequence: last }) : catchUp(wish, last, rounds - 1);
  });
}

function inForce({ activation, connection, request, answer }: Wish, place: SubscriptionPlace): void {
  if (connection.ended) return;
  connection.listen(request.event);
  activation.emit(answer.done(place));
}
