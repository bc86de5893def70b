/**
 * Every error of the runtime, by `group.code`. The text says what happened and, where there is something to do, what.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { error } from "./new-error.ts";

export { accessErrors } from "./access-errors.ts";
export { configErrors, setupErrors } from "./config-errors.ts";
export { connectionErrors } from "./connection-errors.ts";
export { abortOf, callErrors, entryErrors, idempotencyErrors, validationErrors } from "./entry-errors.ts";
export { requestErrors, streamErrors } from "./flow-errors.ts";
export { storageErrors } from "./storage-errors.ts";

/**
 * The error of a call that ran, or may have: "retryable" would say that it surely had no effect, and the client would
 * send it again. What an action throws may well say so of another call, which the action made itself. Never throws.
 */
export function notRetryable(cause: unknown): unknown {
  if (!TroupeError.is(cause)) return cause;
  try {
    if (!cause.retryable) return cause;
    const { group, code, message, metadata, statusCode } = cause;
    return new TroupeError(group, code, message, {
      ...(metadata === undefined ? {} : { metadata }),
      public: cause.public,
      statusCode,
      cause,
    });
  } catch {
    // It only looks like one of ours.
    return new TypeError("what was thrown can't be read");
  }
}

/** The same error, told to somebody whose call surely had no effect. */
export function retryable(error: TroupeError): TroupeError {
  const { group, code, message, metadata, statusCode } = error;
  const options = { retryable: true, public: error.public, statusCode, cause: error };
  return new TroupeError(group, code, message, metadata === undefined ? options : { ...options, metadata });
}

/** True of what a caller is told because the host, or the actor, stops in good order: nothing is wrong. Never throws. */
export function tellsOfStop(cause: unknown): boolean {
  try {
    return TroupeError.is(cause) && cause.group === "actor" && ORDERLY.has(cause.code);
  } catch {
    return false;
  }
}

const ORDERLY: ReadonlySet<string> = new Set(["stopping", "restarting"]);

/** Errors of actors: finding, starting, calling and ending them. */
export const actorErrors = {
  notFound: (target: string) => error(404, "actor", "not_found", `There is no actor ${target}`),
  notRegistered: (name: string) =>
    error(404, "actor", "not_registered", `No actor is registered as "${name}"`, { metadata: { name } }),
  actionNotFound: (name: string, action: string, meant?: string) =>
    error(
      404,
      "actor",
      "action_not_found",
      `Actor "${name}" has no action "${action}"${meant === undefined ? "" : `: did you mean "${meant}"?`}`,
    ),
  noHandler: (name: string, handler: string) =>
    error(404, "actor", "no_handler", `Actor "${name}" takes none of these: give it \`${handler}\``, {
      metadata: { handler },
    }),
  callsTooDeep: (limit: number) =>
    error(
      508,
      "actor",
      "calls_too_deep",
      `Actors call each other ${limit} calls deep: do they call each other in a circle?`,
      { metadata: { limit } },
    ),
  actionTimedOut: (action: string, timeoutMs: number) =>
    error(408, "actor", "action_timed_out", `Action "${action}" took longer than ${timeoutMs} ms`, {
      metadata: { action, timeoutMs },
    }),
  hookTimedOut: (hook: string, timeoutMs: number) =>
    error(504, "actor", "hook_timed_out", `${hook} took longer than ${timeoutMs} ms`, {
      metadata: { hook, timeoutMs },
    }),
  turnTooLong: (timeoutMs: number) =>
    error(
      504,
      "actor",
      "turn_too_long",
      `A turn with SQL didn't end within ${timeoutMs} ms, and nothing of it was stored: let it wait for a timer between its parts, or give the actor more \`actionTimeout\``,
      { metadata: { timeoutMs } },
    ),
  stopped: (id: string) => error(410, "actor", "stopped", `This activation of actor ${id} has ended`),
  destroyed: () => error(410, "actor", "destroyed", "The actor was destroyed"),
  stopping: () => error(503, "actor", "stopping", "The actor, or its host, is stopping", { retryable: true }),
  overloaded: (what: string, limit: number) =>
    error(503, "actor", "overloaded", `Too many ${what} (limit ${limit}); try again later`, {
      retryable: true,
      metadata: { limit },
    }),
  badRow: (key: string) =>
    error(500, "actor", "bad_row", "The actor's code wrote a row that it may not write", {
      metadata: { key },
    }),
  notCarried: (what: string) =>
    error(501, "actor", "not_carried", `A carried actor can't do this: ${what}`, { metadata: { what } }),
  notGranted: (name: string, need: string, what: string) =>
    error(
      403,
      "actor",
      "not_granted",
      `Actor "${name}" may not ${what}: its definition must say \`needs: ["${need}"]\``,
      { metadata: { name, need } },
    ),
  stateMutationReentrant: () =>
    error(500, "actor", "state_mutation_reentrant", "onStateChange changed the state that it was told of"),
  stateNewer: (name: string, stored: number, known: number) =>
    error(
      409,
      "actor",
      "state_newer",
      `Actor "${name}" has state of version ${stored}; this program knows ${known}`,
      { metadata: { stored, known } },
    ),
  noMigration: (name: string, stored: number, known: number) =>
    error(
      500,
      "actor",
      "no_migration",
      `Actor "${name}" has state of version ${stored}, this program of ${known}: give it \`migrateState\``,
      { metadata: { stored, known } },
    ),
  noState: (name: string) =>
    error(500, "actor", "no_state", `Actor "${name}" has no state: give it \`state\` or \`createState\``),
  noVars: (name: string) =>
    error(500, "actor", "no_vars", `Actor "${name}" has no vars: give it \`vars\` or \`createVars\``),
  noConnState: (name: string) =>
    error(
      500,
      "actor",
      "no_conn_state",
      `Actor "${name}" has no connection state: give it \`connState\` or \`createConnState\``,
    ),
};

/** Errors of actors that the engine alone makes. Apart, for no host at the edge has them. */
export const hostingErrors = {
  notReloadable: (name: string) =>
    error(
      409,
      "actor",
      "not_reloadable",
      `Actor "${name}" isn't a dynamic one: its code isn't loaded when it wakes`,
      {
        metadata: { name },
      },
    ),
  duplicateKey: (name: string, key: readonly string[]) =>
    error(409, "actor", "duplicate_key", `An actor "${name}" with this key exists already`, {
      metadata: { name, key },
    }),
  inputTooLarge: (bytes: number, limit: number) =>
    error(413, "actor", "input_too_large", `The input has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  claimed: (id: string) =>
    error(409, "actor", "claimed", `Another host runs actor ${id}`, { retryable: true }),
  startFailed: (name: string) => error(500, "actor", "start_failed", `Actor "${name}" failed to start`),
  outOfTurn: (what: string) =>
    error(500, "actor", "out_of_turn", `The actor's code said ${what} when it was not asked`),
  undeclaredEvent: (event: string, nearest: string | undefined) =>
    error(500, "actor", "undeclared_event", `The actor's code didn't declare an event "${event}"`, {
      metadata: { event, ...(nearest === undefined ? {} : { nearest }) },
    }),
};

/** Errors of links. */
export const transportErrors = {
  unreachable: (address: string) =>
    error(503, "transport", "unreachable", `Nobody listens at ${address}`, { retryable: true }),
  addressInUse: (address: string) =>
    error(409, "transport", "address_in_use", `${address} is in use`, { metadata: { address } }),
};

/** Errors of assignments to `c.state`. */
export const stateErrors = {
  notAnObject: () =>
    error(
      400,
      "state",
      "not_an_object",
      "The state must be a plain object: it is saved property by property",
    ),
  tooManyProperties: (limit: number) =>
    error(413, "state", "too_many_properties", `The state can have ${limit} properties`, {
      metadata: { limit },
    }),
  malformedName: (name: string) =>
    error(
      400,
      "state",
      "malformed_name",
      `${JSON.stringify(name)} can't name a property: half of a surrogate pair`,
    ),
  symbolKey: () => error(400, "state", "symbol_key", "A symbol can't be a key of the state"),
  accessor: () => error(400, "state", "accessor", "Getters and setters can't be part of the state"),
  forbiddenKey: (key: string) =>
    error(400, "value", "forbidden_key", `"${key}" can't be a key of the state`, { metadata: { key } }),
};

/** Errors of messages that are too long. */
export const messageErrors = {
  incomingTooLong: (bytes: number, limit: number) =>
    error(413, "message", "incoming_too_long", `The message has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  outgoingTooLong: (bytes: number, limit: number) =>
    error(
      413,
      "message",
      "outgoing_too_long",
      `The message would have ${bytes} bytes or more; the limit is ${limit}`,
      {
        metadata: { bytes, limit },
      },
    ),
};

/** Errors of requests that reach no actor. */
export const gatewayErrors = {
  notFound: (path: string) => error(404, "gateway", "not_found", `There is nothing at ${path}`),
  methodNotAllowed: (method: string) =>
    error(405, "gateway", "method_not_allowed", `${method} is not allowed here`),
  unauthorized: (why = "A token is needed") => error(401, "gateway", "unauthorized", why),
  unsupportedMediaType: (type: string) =>
    error(
      415,
      "gateway",
      "unsupported_media_type",
      `Can't read ${type}: send application/json or application/cbor`,
    ),
  unsupportedCharset: (charset: string) =>
    error(415, "gateway", "unsupported_charset", `Can't read JSON in ${charset}: send UTF-8`, {
      metadata: { accepted: ["utf-8"] },
    }),
  unsupportedContentEncoding: (coding: string) =>
    error(
      415,
      "gateway",
      "unsupported_content_encoding",
      `Can't read a body that is encoded as ${coding}: send it as it is (identity)`,
      { metadata: { accepted: ["identity"] } },
    ),
};

/** Errors of a gateway's own HTTP server. Apart, for no host at the edge has one. */
export const serverErrors = {
  servedElsewhere: (path: string) =>
    error(
      404,
      "gateway",
      "not_found",
      `There is nothing at ${path}: with TROUPE_ENDPOINT set this program's actors are served by the engine there`,
    ),
  hostNotAllowed: (host: string) =>
    error(403, "gateway", "host_not_allowed", `Host ${host} is not allowed`, { metadata: { host } }),
  originNotAllowed: (origin: string) =>
    error(403, "gateway", "origin_not_allowed", `Origin ${origin} is not allowed`, { metadata: { origin } }),
  bodyTooLarge: (limit: number) =>
    error(413, "gateway", "body_too_large", `The body is larger than ${limit} bytes`, {
      metadata: { limit },
    }),
  busy: (limit: number) =>
    error(503, "gateway", "busy", `The gateway reads ${limit} bytes of bodies already; try again later`, {
      retryable: true,
      metadata: { limit },
    }),
  headersTooLong: () =>
    error(431, "gateway", "headers_too_long", `The headers have more than ${limits.headerBytes} bytes`, {
      metadata: { limit: limits.headerBytes },
    }),
  requestTimeout: () => error(408, "gateway", "request_timeout", "The request didn't come in time"),
  upgradeRequired: () =>
    error(
      426,
      "gateway",
      "upgrade_required",
      "This address is for WebSockets, which start() serves and registry.upgrade takes",
      {
        metadata: { upgrade: "websocket" },
      },
    ),
  badRequest: (reason: string) => error(400, "gateway", "bad_request", reason),
  noResponse: () =>
    error(500, "gateway", "no_response", "What was given to setup({ fetch }) returned no Response"),
  badResponse: (reason: string, cause?: unknown) =>
    error(
      500,
      "gateway",
      "bad_response",
      `What was given to setup({ fetch }) returned a Response that can't be sent: ${reason}`,
      { cause },
    ),
};
