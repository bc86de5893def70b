/**
 * Messages of the actor's queues, as a workflow takes them: the message's row goes and the entry with the message comes in
 * one batch, so that a crash neither loses nor doubles it. From then on it is the workflow's. One that is to be completed
 * has been taken over in the same way: nobody else gets it, and its sender waits until the workflow completes it.
 */
import { wallWaitMs } from "@troupe/base";
import { decodeCbor } from "@troupe/protocol";
import { queueErrors } from "../queue/errors.ts";
import type { QueueMessage } from "../queue/message.ts";
import { Receiver } from "../queue/receiver.ts";
import type { TakenMessage } from "./entry.ts";
import { noMore, type Place, type Scope } from "./scope.ts";

/** What a workflow wants. */
export interface WantedMessages {
  readonly names: readonly string[] | undefined;
  readonly count: number;
  /** Milliseconds; absent: as long as it takes. */
  readonly timeout: number | undefined;
  readonly completable: boolean;
}

/** A message, as the workflow's code gets it. */
export interface WorkflowMessage {
  readonly id: number;
  readonly name: string;
  readonly body: unknown;
  readonly createdAt: number;
  readonly complete?: (reply?: unknown) => Promise<void>;
}

/** Takes messages: one at least, or none when the time is over. */
export function nextMessages(
  scope: Scope,
  name: string,
  wanted: WantedMessages,
): Promise<readonly WorkflowMessage[]> {
  return scope.at(name, "message", async (place) => {
    const taken = place.entry?.messages ?? (await take(scope, place, wanted));
    return taken.map((_message, index) => messageOf(scope, place, index));
  });
}

async function take(
  scope: Scope,
  place: Place<"message">,
  wanted: WantedMessages,
): Promise<readonly TakenMessage[]> {
  const { clock } = scope.life.owner.env;
  const [open] = scope.life.open;
  if (open !== undefined) throw queueErrors.previousNotCompleted(open);
  place.checkNew();
  let until = place.entry?.until ?? null;
  if (place.entry === undefined && wanted.timeout !== undefined) {
    until = clock.now() + wanted.timeout;
    // The time runs on while the actor sleeps. What is there already needs none.
    if (wanted.timeout > 0) place.put({ kind: "message", until, messages: null });
  }
  const found = await receive(scope, wanted, until);
  const { queues } = scope.life.owner;
  const messages = found.map((message) => takenOf(message, wanted.completable));
  place.put({ kind: "message", until, messages });
  for (const message of found) {
    if (wanted.completable) queues.takeOver(message);
    else queues.finish(message);
  }
  return messages;
}

/** Nothing of it is stored: messages that were given out here are in their places again when the process dies. */
async function receive(
  scope: Scope,
  { names, count }: WantedMessages,
  until: number | null,
): Promise<readonly QueueMessage[]> {
  const { owner } = scope.life;
  const { queues, env } = owner;
  const set = names === undefined || names.length === 0 ? undefined : new Set(names);
  let rest: { resume(): void } | undefined;
  const receiver = new Receiver(queues, env, {
    asks: (wanted) => owner.asks(wanted),
    waits: () => {
      scope.life.pauses += 1;
      rest = scope.activity.rest(until);
    },
    // In the moment in which the message is there: the actor isn't idle any more. Its end leaves the wait as it is.
    resumes: () => {
      if (!owner.stopping) rest?.resume();
    },
    works: () => {},
    rests: () => {},
  });
  for (;;) {
    const timeoutMs = wallWaitMs(env.clock, until ?? Infinity);
    let found: readonly QueueMessage[];
    try {
      const { signal } = scope;
      found = await receiver.take({ names: set, count, timeoutMs, signal, completable: false });
    } catch (cause) {
      // Its own end, or that of the activation, which begins with the end of its queues.
      if (scope.signal.aborted || owner.stopping) return await noMore();
      throw cause;
    }
    if (scope.signal.aborted) {
      queues.restore(found);
      return await noMore();
    }
    if (found.length > 0 || (until !== null && until <= env.clock.now())) return found;
  }
}

function takenOf(message: QueueMessage, completable: boolean): TakenMessage {
  const { id, name, createdAt, body, ticket } = message;
  const taken = { id, name, createdAt, body, ticket: ticket ?? null };
  return completable ? { ...taken, completed: false } : taken;
}

function messageOf(scope: Scope, place: Place<"message">, index: number): WorkflowMessage {
  const { history, open } = scope.life;
  const stored = () => {
    const entry = history.get(place.location);
    return entry?.kind === "message" ? entry : undefined;
  };
  const message = stored()?.messages?.[index];
  if (message === undefined) throw queueErrors.badRow(place.location);
  const { id, name, createdAt, body } = message;
  const plain = { id, name, createdAt, body: decodeCbor(body) };
  if (message.completed === undefined) return plain;
  if (!message.completed) open.add(id);
  return { ...plain, complete: (reply) => complete(reply) };

  async function complete(reply: unknown): Promise<void> {
    const entry = stored();
    const now = entry?.messages?.[index];
    open.delete(id);
    // Behind a crash the code comes here again; it was done.
    if (entry?.messages == null || now === undefined || now.completed === true) return;
    const messages = entry.messages.with(index, { ...now, completed: true });
    const { owner } = scope.life;
    const bytes = owner.encodeReply(name, reply);
    const encoded = bytes instanceof Promise ? await bytes : bytes;
    place.put({ ...entry, messages });
    owner.queues.answer({ ...now, attempts: 1, ticket: now.ticket ?? undefined }, encoded);
  }
}
