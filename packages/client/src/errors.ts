/**
 * Every error that the client makes by itself, by `group.code`. Errors of actors and gateways come as they are.
 */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("client", code, message, options);
}

function because(cause: unknown): TroupeErrorOptions {
  return cause === undefined ? {} : { cause };
}

/** What is known of a call that was given up: it surely had no effect, or nobody knows. */
export type CallOutcome = "not_sent" | "unknown";

/** Group `client`. */
export const clientErrors = {
  /** Nothing left this machine: the same call is safe to repeat. */
  notSent: (where: string, cause?: unknown) =>
    error("not_sent", `${where} can't be reached; nothing was sent`, {
      ...because(cause),
      statusCode: 503,
      retryable: true,
    }),
  /** A connection didn't come back in time: the same call is safe to repeat. */
  waitedForLink: (what: string, waitedMs: number, cause?: unknown) =>
    error("not_sent", `${what} waited ${waitedMs} ms for its connection; nothing was sent`, {
      ...because(cause),
      statusCode: 503,
      retryable: true,
    }),
  /** The call left and no answer came: it may have happened or not. */
  outcomeUnknown: (what: string, cause?: unknown) =>
    error("outcome_unknown", `${what} was sent but its answer was lost; it may have happened or not`, {
      ...because(cause),
      statusCode: 502,
    }),
  aborted: (what: string, outcome: CallOutcome, reason: unknown) =>
    error(
      "aborted",
      outcome === "not_sent"
        ? `${what} was aborted before it was sent`
        : `${what} was aborted after it was sent; it may have happened or not`,
      { statusCode: 499, metadata: { outcome }, cause: reason },
    ),
  notAStream: () =>
    error("not_a_stream", "The action's result doesn't come in items: await it", { statusCode: 400 }),
  /** The caller's own time is over. As the reason of an abort it has no outcome yet. */
  deadlineExceeded: (what: string, timeoutMs: number, outcome: CallOutcome, cause?: unknown) =>
    error(
      "deadline_exceeded",
      outcome === "not_sent"
        ? `${what} wasn't sent in its ${timeoutMs} ms`
        : `${what} was not answered in its ${timeoutMs} ms; it may have happened or not`,
      { ...because(cause), statusCode: 504, metadata: { outcome, timeoutMs } },
    ),
  disposed: () =>
    error("disposed", "The client or connection was disposed of; nothing was sent", { statusCode: 410 }),
  queueFull: (what: string, limit: number) =>
    error("queue_full", `Too many ${what} wait (limit ${limit})`, {
      statusCode: 429,
      retryable: true,
      metadata: { limit },
    }),
  paramsFailed: (cause: unknown) => error("params_failed", "getParams failed; nothing was sent", { cause }),
  badResponse: (where: string, status: number, cause?: unknown) =>
    error(
      "bad_response",
      `${where} answered ${status} with a body that isn't Troupe's: is it a Troupe gateway?`,
      {
        ...because(cause),
        statusCode: 502,
        metadata: { status },
      },
    ),
  badEndpoint: (endpoint: string, cause?: unknown) =>
    error("bad_endpoint", `"${endpoint}" isn't an http or https URL that can be used`, {
      ...because(cause),
      metadata: { endpoint },
    }),
  bareEncoding: () =>
    error(
      "encoding_unsupported",
      `The encoding "bare" is RivetKit's own: use "cbor", which is binary too, or "json"`,
      { metadata: { supported: ["json", "cbor"] } },
    ),
  unsupported: (what: string, instead: string) =>
    error("unsupported", `There is no ${what} here: ${instead}`, { metadata: { what, instead } }),
  eventsOverflow: (event: string, limit: number) =>
    error(
      "events_overflow",
      `More than ${limit} events "${event}" waited to be taken; the rest were dropped`,
      {
        metadata: { event, limit },
      },
    ),
  unknownOption: (name: string, known: readonly string[], what = "createClient") =>
    error("unknown_option", `${what} has no option "${name}"; it has ${known.join(", ")}`, {
      metadata: { name, known },
    }),
  oneArgument: () =>
    error("unknown_option", "createClient takes one argument: an endpoint, or createClient({ endpoint, … })"),
  rawUnsupported: (what: string) =>
    error(
      "raw_unsupported",
      `This client reaches its actors without a network, which ${what} needs: use createClient() with an endpoint`,
      { metadata: { what } },
    ),
  unsupportedPlatform: (what: string) =>
    error("unsupported_platform", `This platform has no ${what}: give one with createClient({ env })`, {
      metadata: { what },
    }),
  /** The cause is what the user's callback threw. */
  listenerFailed: (what: string, cause: unknown) =>
    error("listener_failed", `A listener of ${what} threw`, { cause }),
  notEnabled: (what: string) =>
    error("not_enabled", `${what} was called on an actor that isn't enabled; nothing was sent`, {
      statusCode: 409,
    }),
  connectFailed: (cause: unknown) => error("connect_failed", "The connection couldn't be opened", { cause }),
};

/** Group `actor`: what a closed link says of the actor. */
export const actorErrors = {
  destroyed: () => new TroupeError("actor", "destroyed", "The actor was destroyed", { statusCode: 410 }),
};

/** Group `message`. */
export const messageErrors = {
  /** As the gateway would say. */
  incomingTooLong: (bytes: number, limit: number) =>
    new TroupeError(
      "message",
      "incoming_too_long",
      `The message has ${bytes} bytes; the actor takes ${limit}`,
      {
        statusCode: 413,
        metadata: { bytes, limit },
      },
    ),
  outgoingTooLong: (bytes: number, limit: number) =>
    new TroupeError("message", "outgoing_too_long", `The message has ${bytes} bytes; the limit is ${limit}`, {
      statusCode: 413,
      metadata: { bytes, limit },
    }),
};

/** The error of a call whose caller waits no longer: `reason` is `client.disposed` or whatever a signal fired with. */
export function abandoned(what: string, outcome: CallOutcome, reason: unknown): TroupeError {
  if (reason instanceof Deadline) return clientErrors.deadlineExceeded(what, reason.timeoutMs, outcome);
  if (!isDisposed(reason)) return clientErrors.aborted(what, outcome, reason);
  return outcome === "not_sent" ? reason : clientErrors.outcomeUnknown(what, reason);
}

/**
 * True of an error that says that nobody knows whether its call was applied: the answer was lost, or what ran the actor
 * (`metadata.applied`). One that is kept under the call's key is what the action itself has thrown of something else, and
 * comes again however often it is called.
 */
export function isOutcomeUnknown(error: unknown): error is TroupeError {
  if (!TroupeError.is(error) || error.group === "user") return false;
  const { group, code, metadata } = error;
  if (group === "client") return code === "outcome_unknown";
  return metadata?.["applied"] === "unknown" && metadata["kept"] !== true;
}

/** Why a call was given up: its time is over. */
export class Deadline {
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }
}

/** One error for a time that is over, whichever side said so first. */
export function ownDeadline(what: string, timeoutMs: number | undefined, error: unknown): unknown {
  const theirs = TroupeError.is(error) && error.group === "actor" && error.code === "deadline_exceeded";
  if (!theirs || timeoutMs === undefined) return error;
  return clientErrors.deadlineExceeded(what, timeoutMs, "unknown", error);
}

function isDisposed(reason: unknown): reason is TroupeError {
  return TroupeError.is(reason) && reason.group === "client" && reason.code === "disposed";
}
