/**
 * Messages for queues, sent without a connection.
 *
 * A sender that waits for the reply may wait for long, and lose its way to the actor meanwhile. Its message has a ticket,
 * so it asks again: the message is in the queue once, and the reply is kept. Only what can't be reached for as long as any
 * other call is repeated is given up.
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
  /** A name for one message that nobody else has. */
  readonly ticket: () => string;
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
  if (options.wait !== true) {
    const send = (attempt: Attempt) => sending.send({ name, body }, attempt);
    await calls.run({ what, signals: all, idempotent: false, params, send });
    return undefined;
  }
  const { clock } = sending.env;
  const start = clock.monotonic();
  const ticket = sending.ticket();
  const left = () =>
    options.timeout === undefined
      ? {}
      : { timeoutMs: Math.max(0, options.timeout - (clock.monotonic() - start)) };
  const send = (attempt: Attempt) => sending.send({ name, body, wait: true, ticket, ...left() }, attempt);
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
  if (wait !== true) return { name, body };
  return { name, body, wait, ticket: tickets.next(), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
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
