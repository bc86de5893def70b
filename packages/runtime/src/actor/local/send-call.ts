/**
 * One message for a queue, from outside: from the call to the output that answers it.
 *
 * The answer passes the gate, so that whoever gets it knows that the message is stored. A sender that waits for the reply
 * doesn't keep the actor awake: when the activation ends first, it is told to come again, and finds its message by its
 * ticket.
 */
import type { TroupeError } from "@troupe/base";
import type { SendOptions, SendOutcome } from "@troupe/protocol";
import { actorErrors, notRetryable } from "../../errors.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { MaybePromise } from "../../ports/storage.ts";
import { type Accepted, acceptMessage } from "../../queue/accepting.ts";
import { queueErrors } from "../../queue/errors.ts";
import { andThen } from "../../storage/overlay.ts";
import type { QueueSettings } from "../queue-table.ts";
import { validated } from "../validate.ts";
import type { Activation } from "./activation.ts";
import { say } from "./answer.ts";
import type { Caller } from "./call-run.ts";
import type { Connection } from "./connection.ts";
import { runCallersHook } from "./hook.ts";
import { entriesOf } from "./shared-by-calls.ts";

/** Takes a message on a running activation. Never throws; the end goes to the call's reply. */
export function startSend(activation: Activation, call: ActionCall, options: SendOptions): void {
  const queue = activation.behaviour.queues.get(call.name);
  if (queue === undefined) {
    say(activation, call.reply.error(queueErrors.notFound(activation.record.name, call.name)));
    return;
  }
  activation.work.begin("action");
  let accepted: MaybePromise<Accepted>;
  try {
    accepted = acceptInTurn(activation, { call, options, queue, caller: call });
  } catch (cause) {
    refuse(activation, call, options, cause);
    activation.work.end("action");
    return;
  }
  if (!(accepted instanceof Promise)) {
    answer(activation, call, options, accepted);
    activation.work.end("action");
    return;
  }
  accepted
    .then(
      (known) => answer(activation, call, options, known),
      (cause: unknown) => refuse(activation, call, options, cause),
    )
    .finally(() => activation.work.end("action"));
}

interface Sending {
  readonly call: ActionCall;
  readonly options: SendOptions;
  readonly queue: QueueSettings;
  readonly caller: Caller;
}

/** Whatever of the user's code is asked about a message is an entry of a serial actor. */
function acceptInTurn(activation: Activation, sending: Sending): MaybePromise<Accepted> {
  const { plainConnections, schemas } = activation.behaviour;
  const { call, queue } = sending;
  const { connection, params, request } = call;
  const unasked = plainConnections && schemas?.connParams === undefined;
  const way = connection !== undefined || unasked ? accept : acceptWithHooks;
  const entries = plainConnections && queue.canPublish === undefined ? undefined : entriesOf(activation);
  if (entries === undefined) return way(activation, sending);
  return andThen(entries.enter(call), async (entry) => {
    try {
      return await way(activation, {
        ...sending,
        caller: { connection, params, request, chain: entry.chain },
      });
    } finally {
      entry.end();
    }
  });
}

/** A sender without a connection, of an actor with connect hooks: its connection lasts until the message is taken. */
async function acceptWithHooks(activation: Activation, sending: Sending): Promise<Accepted> {
  const { params, request } = sending.call;
  const { chain } = sending.caller;
  const connection: Connection = await activation.connections.open({ params, request }, chain);
  try {
    return await accept(activation, { ...sending, caller: { connection, request, chain } });
  } finally {
    await connection.end();
  }
}

function accept(activation: Activation, sending: Sending): MaybePromise<Accepted> {
  const { queues } = activation;
  const { call } = sending;
  const { queue, options } = sending;
  // Nobody else has it when nothing of the user's has seen it.
  const exclusive = queue.message === undefined && queue.canPublish === undefined;
  const receiver = { env: activation.env, queues, ended: () => endedError(activation) };
  const store = (body: unknown) =>
    queues.inOrder(() => acceptMessage(receiver, { name: call.name, body, exclusive, ...options }));
  const checked = check(activation, sending);
  const { queueing } = activation;
  if (call.connection === undefined || queueing === undefined) return andThen(checked, store);
  return queueing.order.behind({ sender: call.connection, queue: call.name }, checked, store);
}

/** The message, as its schema has it. Throws what its sender is told. */
function check(activation: Activation, sending: Sending): MaybePromise<unknown> {
  const { call, queue } = sending;
  const refused = (issues: readonly unknown[]) => queueErrors.invalidPayload(call.name, issues);
  return andThen(validated(queue.message, call.args[0], refused), (message) =>
    andThen(mayPublish(activation, sending, message), (allowed) => {
      if (allowed !== true) throw queueErrors.forbidden(call.name);
      return message;
    }),
  );
}

function mayPublish(
  activation: Activation,
  { call, queue, caller }: Sending,
  message: unknown,
): MaybePromise<unknown> {
  const { canPublish } = queue;
  if (canPublish === undefined) return true;
  const { actionTimeout: timeoutMs } = activation.descriptor.options;
  const name = `canPublish of queue "${call.name}"`;
  return runCallersHook(activation, caller, { name, timeoutMs, fn: canPublish, args: [message] });
}

function endedError({ doomed, record }: Activation): TroupeError {
  return doomed ? actorErrors.stopped(record.id) : actorErrors.stopping();
}

function answer(activation: Activation, call: ActionCall, options: SendOptions, accepted: Accepted): void {
  if ("outcome" in accepted) {
    tell(activation, call, options, accepted.outcome);
    return;
  }
  call.began?.();
  accepted.reply.then(
    (outcome) => tell(activation, call, options, outcome),
    (cause: unknown) => refuse(activation, call, options, cause),
  );
}

function tell(activation: Activation, call: ActionCall, options: SendOptions, outcome: SendOutcome): void {
  try {
    say(activation, call.reply.ok(outcome));
  } catch (cause) {
    refuse(activation, call, options, cause);
  }
}

/** With a ticket the same message may come again, whatever became of this call. */
function refuse(activation: Activation, call: ActionCall, { ticket }: SendOptions, cause: unknown): void {
  say(activation, call.reply.error(ticket === undefined ? notRetryable(cause) : cause));
}
