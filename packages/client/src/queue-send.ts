/**
 * Messages for queues, sent without a connection.
 *
 * A message has a ticket where its answer may be lost on the way, so it is sent again: it is in the queue once. A sender
 * that waits for the reply may wait for long, and lose its way to the actor meanwhile. It asks again, with the ticket that it
 * has in any case, and the reply is kept. Only what can't be reached for as long as any other call is repeated is given up.
 */
import { TroupeError } from "@troupe/base";
import { cloneValue, type SendOutcome } from "@troupe/protocol";
import type { ClientEnv } from "./env.ts";
import { isOutcomeUnknown } from "./errors.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Attempt, StatelessCalls } from "./stateless-calls.ts";
import type { Tickets } from "./tickets.ts";
import type { QueueSend } from "./transport.ts";
import type { QueueSendOptions, QueueSendResult } from "./types.ts";

/** What one message is sent with. */
export interface Sending {
  readonly env: Pick<ClientEnv, "clock">;
  readonly tickets: Tickets;
  readonly policy: RetryPolicy;
  readonly calls: StatelessCalls;
  readonly signals: readonly (AbortSignal | undefined)[];
  readonly params: () => unknown;
  /** Makes one attempt. */
  readonly send: (message: QueueSend, attempt: Attempt) => Promise<SendOutcome>;
}

/** Sends a message. Settles when it is durable, or with `wait` when it was handled. */
export async function sendToQueue(
  name: string,
  message: unknown,
  options: QueueSendOptions,
  sending: Sending,
): Promise<QueueSendResult | undefined> {
  // As it is now: it is sent later, maybe more than once.
  const body = cloneValue(message, "body");
  const { calls, signals, params } = sending;
  const what = `The message for queue "${name}"`;
  const all = [options.signal, ...signals];
  const named = sending.tickets.ofSend(options.wait);
  if (options.wait !== true) {
    const send = (attempt: Attempt) => sending.send({ name, body, ...named }, attempt);
    await calls.run({ what, signals: all, idempotent: "ticket" in named, params, send });
    return undefined;
  }
  const { clock } = sending.env;
  const start = clock.monotonic();
  const left = () =>
    options.timeout === undefined
      ? {}
      : { timeoutMs: Math.max(0, options.timeout - (clock.monotonic() - start)) };
  const send = (attempt: Attempt) => sending.send({ name, body, wait: true, ...named, ...left() }, attempt);
  for (;;) {
    const begun = clock.monotonic();
    try {
      return await calls.run({ what, signals: all, idempotent: true, waits: true, params, send });
    } catch (cause) {
      // No attempt starts past the deadline: the last one waited for its reply, and was cut off.
      const waited = clock.monotonic() - begun >= sending.policy.deadlineMs;
      if (!waited || !isPassing(cause)) throw cause;
    }
  }
}

/** A message as a connection sends it. */
export function connectedSend(
  name: string,
  body: unknown,
  { wait, timeout: timeoutMs }: QueueSendOptions,
  tickets: Tickets,
): QueueSend {
  const named = { name, body, ...tickets.ofSend(wait) };
  return wait === true ? { ...named, wait, ...(timeoutMs === undefined ? {} : { timeoutMs }) } : named;
}

/** The outcome in an answer; undefined when it isn't one. */
export function sendOutcome(output: unknown): SendOutcome | undefined {
  if (typeof output !== "object" || output === null || !("status" in output)) return undefined;
  const { status } = output;
  if (status !== "completed" && status !== "timedOut") return undefined;
  return "response" in output ? { status, response: output.response } : { status };
}

function isPassing(cause: unknown): boolean {
  return (TroupeError.is(cause) && cause.retryable) || isOutcomeUnknown(cause);
}
