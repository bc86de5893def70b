/**
 * Every error of the runtime, by `group.code`. The text says what happened and, where there is something to do, what.
 */
import { TroupeError } from "@troupe/base";

type Metadata = Readonly<Record<string, unknown>>;

function error(
  statusCode: number,
  group: string,
  code: string,
  message: string,
  options: { metadata?: Metadata; retryable?: boolean; cause?: unknown } = {},
): TroupeError {
  return new TroupeError(group, code, message, { statusCode, ...options });
}

export const actorErrors = {
  notFound: (target: string) => error(404, "actor", "not_found", `There is no actor ${target}`),
  notRegistered: (name: string, known: readonly string[]) =>
    error(404, "actor", "not_registered", `No actor is registered as "${name}"`, { metadata: { name, known } }),
  duplicateKey: (name: string, key: readonly string[]) =>
    error(409, "actor", "duplicate_key", `An actor "${name}" with this key exists already`, {
      metadata: { name, key },
    }),
  claimed: (id: string) =>
    error(409, "actor", "claimed", `Another host runs actor ${id}`, { retryable: true }),
  actionNotFound: (name: string, action: string) =>
    error(404, "actor", "action_not_found", `Actor "${name}" has no action "${action}"`),
  actionTimedOut: (action: string, timeoutMs: number) =>
    error(408, "actor", "action_timed_out", `Action "${action}" took longer than ${timeoutMs} ms`, {
      metadata: { action, timeoutMs },
    }),
  hookTimedOut: (hook: string, timeoutMs: number) =>
    error(504, "actor", "hook_timed_out", `${hook} took longer than ${timeoutMs} ms`, {
      metadata: { hook, timeoutMs },
    }),
  startFailed: (name: string, cause: unknown) =>
    new TroupeError("actor", "start_failed", `Actor "${name}" failed to start`, {
      statusCode: 500,
      public: true,
      cause,
    }),
  stopped: (id: string) => error(410, "actor", "stopped", `This activation of actor ${id} has ended`),
  stopping: () => error(503, "actor", "stopping", "The host is stopping", { retryable: true }),
  overloaded: (what: string, limit: number) =>
    error(503, "actor", "overloaded", `Too many ${what} (limit ${limit}); try again later`, {
      retryable: true,
      metadata: { limit },
    }),
  stateMutationReentrant: () =>
    error(500, "actor", "state_mutation_reentrant", "onStateChange changed the state that it was told of"),
  noState: (name: string) =>
    error(500, "actor", "no_state", `Actor "${name}" has no state: give it \`state\` or \`createState\``),
  noVars: (name: string) =>
    error(500, "actor", "no_vars", `Actor "${name}" has no vars: give it \`vars\` or \`createVars\``),
  noConnState: (name: string) =>
    error(500, "actor", "no_conn_state", `Actor "${name}" has no connection state: give it \`connState\` or \`createConnState\``),
};

export const storageErrors = {
  commitFailed: (applied: "no" | "unknown", cause: unknown) =>
    error(500, "storage", "commit_failed", "The write could not be made durable", {
      metadata: { applied },
      cause,
    }),
  fenced: (id: string) =>
    error(409, "storage", "fenced", `A newer activation of actor ${id} exists; this one can't commit any more`),
  closed: () => error(503, "storage", "closed", "The storage is closed", { retryable: true }),
  batchTooLarge: (bytes: number, limit: number) =>
    error(413, "storage", "batch_too_large", `One turn wrote ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  propertyTooLarge: (property: string, bytes: number, limit: number) =>
    error(413, "storage", "property_too_large", `state.${property} has ${bytes} bytes encoded; the limit is ${limit}`, {
      metadata: { property, bytes, limit },
    }),
  locked: (owner: string) =>
    error(409, "storage", "locked", `The data directory is in use by ${owner}`, { metadata: { owner } }),
  readOnly: (path: string, cause: unknown) =>
    error(500, "storage", "read_only", `Can't write to the data directory ${path}`, { cause, metadata: { path } }),
  corrupt: (path: string, detail: string) =>
    error(500, "storage", "corrupt", `${path} is damaged: ${detail}`, { metadata: { path, detail } }),
  newer: (path: string, found: number, supported: number) =>
    error(500, "storage", "newer_layout", `${path} was written by a newer Troupe (layout ${found}; this one knows ${supported})`, {
      metadata: { path, found, supported },
    }),
  unsupported: (what: string) =>
    error(500, "storage", "unsupported_platform", `node:sqlite lacks ${what}: Troupe needs Node 24 or newer`),
};

export const transportErrors = {
  unreachable: (address: string) =>
    error(503, "transport", "unreachable", `Nobody listens at ${address}`, { retryable: true }),
  addressInUse: (address: string) =>
    error(409, "transport", "address_in_use", `${address} is in use`, { metadata: { address } }),
};
