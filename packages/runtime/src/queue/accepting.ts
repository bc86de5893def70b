/** A message from outside is put into its queue, or found there by its ticket, and its sender may wait for the reply. */
import type { Env, TroupeError } from "@troupe/base";
import { decodeCbor, type SendOptions, type SendOutcome } from "@troupe/protocol";
import type { MaybePromise } from "../ports/storage.ts";
import { andThen } from "../storage/overlay.ts";
import type { Queues } from "./queues.ts";
import type { Ending } from "./replies.ts";

/** The message is in its queue. `reply`: its sender waits. */
export type Accepted = { readonly outcome: SendOutcome } | { readonly reply: Promise<SendOutcome> };

/** Whose queues they are. */
export interface Accepting {
  readonly env: Pick<Env, "timers">;
  readonly queues: Queues;
  /** Why a sender waits no longer: the activation has ended. */
  ended(): TroupeError;
}

/** A message, as it was sent. */
export interface Sent extends SendOptions {
  readonly name: string;
  readonly body: unknown;
  /** Nobody else has the body. */
  readonly exclusive: boolean;
}

const COMPLETED: Accepted = Object.freeze({ outcome: Object.freeze({ status: "completed" }) });

/** Takes a message. Throws `queue.full`, `queue.message_too_large`, `queue.dead_lettered`, `value.*`. */
export function acceptMessage(accepting: Accepting, sent: Sent): MaybePromise<Accepted> {
  const { queues } = accepting;
  const { name, body, exclusive, wait = false, ticket } = sent;
  return andThen(ticket === undefined ? undefined : queues.replies.find(ticket), (known) => {
    // One that was handled is known as well, until so many newer ones were.
    const { id } = known === undefined ? queues.send(name, body, { exclusive, ticket }) : { id: 0, ...known };
    if (!wait) return COMPLETED;
    if (known?.kind === "dead") throw known.error;
    if (known?.kind === "handled") return { outcome: outcomeOf(known) };
    return waitFor(accepting, id, sent);
  });
}

function waitFor({ env, queues, ended }: Accepting, id: number, { timeoutMs }: SendOptions): Accepted {
  const reply = new Promise<SendOutcome>((resolve, reject) => {
    const forget = queues.replies.wait(id, (ending) => {
      if (timer !== undefined) env.timers.clear(timer);
      if (ending === undefined) reject(ended());
      else if (ending.kind === "dead") reject(ending.error);
      else resolve(outcomeOf(ending));
    });
    const late = (): void => {
      forget();
      resolve({ status: "timedOut" });
    };
    const timer = timeoutMs === undefined ? undefined : env.timers.set(late, timeoutMs, { background: true });
  });
  return { reply };
}

function outcomeOf({ reply }: Ending & { kind: "handled" }): SendOutcome {
  return reply === undefined ? { status: "completed" } : { status: "completed", response: decodeCbor(reply) };
}
