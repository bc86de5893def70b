/**
 * Every error of the command line, by `group.code`. The text is what a person reads in the terminal.
 */
import { getSystemErrorMap } from "node:util";
import { TroupeError } from "@troupe/base";

type Metadata = Readonly<Record<string, unknown>>;

function error(
  statusCode: number,
  group: string,
  code: string,
  message: string,
  options: { metadata?: Metadata; cause?: unknown; retryable?: boolean } = {},
): TroupeError {
  return new TroupeError(group, code, message, { statusCode, ...options });
}

/** Errors of what was typed. */
export const optionErrors = {
  usage: (message: string) => error(400, "config", "usage", message),
  invalid: (option: string, value: string, accepted: string) =>
    error(400, "config", "invalid_option", `${option} ${value}: must be ${accepted}`, {
      metadata: { option, value },
    }),
  notConfirmed: (what: string) =>
    error(400, "config", "not_confirmed", `${what} was not confirmed: nothing was done. --yes confirms it`),
  unsafeBind: (place: string, text: string) =>
    error(
      400,
      "config",
      "unsafe_bind",
      `${place} ${text} would be reachable from other machines: the gateway binds to a loopback address`,
      { metadata: { place, address: text } },
    ),
  cannotListen: (address: string, cause: unknown) =>
    error(
      400,
      "config",
      "cannot_listen",
      `Can't listen at ${address}: ${reasonOf(cause)}; --bind chooses another address`,
      {
        metadata: { address },
        cause,
      },
    ),
  cannotWrite: (path: string, cause: unknown) =>
    error(400, "config", "cannot_write", `Can't write ${path}: ${reasonOf(cause)}`, {
      metadata: { path },
      cause,
    }),
};

/** Errors of configuration. */
export const configErrors = {
  missing: (path: string) =>
    error(400, "config", "file_missing", `${path} isn't there`, { metadata: { path } }),
  unreadable: (path: string, cause: unknown) =>
    error(400, "config", "unreadable", `${path} can't be read: ${reasonOf(cause)}`, {
      metadata: { path },
      cause,
    }),
  tooLarge: (path: string, limit: number) =>
    error(400, "config", "too_large", `${path} is larger than ${limit} bytes`, { metadata: { path, limit } }),
  malformed: (path: string, line: number, column: number) =>
    error(400, "config", "malformed", `${path}:${line}:${column}: this isn't TOML`, {
      metadata: { path, line, column },
    }),
  unknownKey: (place: string, key: string, meant: string | undefined) =>
    error(
      400,
      "config",
      "unknown_key",
      `${place}: there is no key ${key}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
      { metadata: { place, key } },
    ),
  missingKey: (place: string, key: string) =>
    error(400, "config", "missing_key", `${place}: ${key} is needed`, { metadata: { place, key } }),
  keyInFile: (place: string) =>
    error(
      400,
      "config",
      "key_in_file",
      `${place}: a key is never written here; key_env names a variable that has it, key_file a file`,
      { metadata: { place } },
    ),
  twoKeys: (place: string) =>
    error(400, "config", "two_keys", `${place}: there are key_env and key_file, and one is enough`, {
      metadata: { place },
    }),
  keyMissing: (upstream: string, where: string, cause?: unknown) =>
    error(
      400,
      "config",
      "key_missing",
      `The key of upstreams.${upstream} isn't there: ${where}${cause === undefined ? "" : ` (${reasonOf(cause)})`}`,
      { metadata: { upstream, where }, ...(cause === undefined ? {} : { cause }) },
    ),
};

/** What to type, for those that are installed; the program's own are its own to leave out. */
function withoutThem(installed: readonly string[]): string {
  if (installed.length === 0) return "Start without --hosts, or take these plugins out of the program";
  const commands = installed.map((id) => `troupe plugins disable ${id}`).join(", ");
  return `Start without --hosts, or without the plugins: ${commands}, or --no-installed for this start`;
}

/** Errors of `troupe start`. */
export const startErrors = {
  /** Which plugin it is, whose list it is on, and what goes on without it. */
  installedFailed: (cause: TroupeError, { id, scope }: { readonly id: string; readonly scope: string }) =>
    error(
      400,
      cause.group,
      cause.code,
      `${cause.message}. It is on the ${scope}'s list of plugins. To go on without it: troupe plugins disable ${id}; without any that is installed: --no-installed`,
      { metadata: { ...cause.metadata, plugin: id, scope }, cause },
    ),
  hostsUnguarded: (names: readonly string[], installed: readonly string[]) =>
    error(
      400,
      "config",
      "hosts_unguarded",
      `--hosts: tools and models run in the host processes, where what plugins guard them with isn't: ${names.join(", ")}. ${withoutThem(installed)}`,
      { metadata: { names } },
    ),
  installedUnused: (count: number) =>
    error(
      400,
      "config",
      "installed_unused",
      `${count} installed and enabled plugins aren't in force: the program had opened its registry before it was started (client(), handler()), or runs its actors for another engine (TROUPE_ENDPOINT). Mend that, or leave them out with --no-installed`,
      { metadata: { count } },
    ),
  programFailed: (path: string, cause: unknown) =>
    error(400, "config", "program_failed", `${path} failed while it was loaded: ${reasonOf(cause)}`, {
      metadata: { path },
      cause,
    }),
  noRegistry: (path: string) =>
    error(
      400,
      "config",
      "no_registry",
      `${path} exports no registry: add \`export const registry = setup({ use: { … } })\`. A program that starts its registry itself is run with node`,
      { metadata: { path } },
    ),
  badHosts: (text: string, most: number) =>
    optionErrors.invalid("--hosts", text, `a number from 1 to ${most}`),
  endpointAndHosts: () =>
    error(
      400,
      "config",
      "both_given",
      "TROUPE_ENDPOINT names an engine elsewhere, and --hosts makes one here",
    ),
  hostFailed: (number: number, how: string) =>
    error(500, "config", "host_failed", `Host ${number} ended with ${how} before it served`, {
      metadata: { number, how },
    }),
  noSupervisor: () =>
    error(400, "config", "no_supervisor", "`troupe host` is started by `troupe start --hosts n` alone"),
  badPort: (text: string) => optionErrors.invalid("--port", text, "a number up to 65535"),
};

/** Errors of `troupe engine`. */
export const engineErrors = {
  noHostToken: () =>
    error(
      400,
      "config",
      "no_host_token",
      "Hosts show a token to the engine: set TROUPE_HOSTS_TOKEN, or give a file of them with --tokens",
    ),
  badTokens: (path: string, why: string) =>
    error(
      400,
      "config",
      "bad_tokens",
      `${path} should be [{ "token": "…", "namespace": "…", "pool": "…" }], the last two as needed: ${why}`,
      { metadata: { path } },
    ),
};

/** Errors of `troupe trace`. */
export const traceErrors = {
  cannotRead: (path: string, cause: unknown) =>
    error(400, "trace", "cannot_read", `Can't read ${path}: ${reasonOf(cause)}`, {
      metadata: { path },
      cause,
    }),
  notAtof: (path: string) =>
    error(
      400,
      "trace",
      "not_atof",
      `No line of ${path} is an event: a file that --atof or an ATOF exporter wrote is needed`,
      { metadata: { path } },
    ),
};

/** Errors of `troupe run`. */
export const runErrors = {
  notFound: (program: string, cause?: unknown) =>
    error(
      400,
      "run",
      "not_found",
      `${program} can't be started: it isn't there, or what it runs with isn't`,
      {
        metadata: { program },
        cause,
      },
    ),
  notExecutable: (program: string, cause?: unknown) =>
    error(400, "run", "not_executable", `${program} can't be started: it isn't a program that may be run`, {
      metadata: { program },
      cause,
    }),
  cannotStart: (program: string, cause: unknown) =>
    error(400, "run", "cannot_start", `${program} can't be started: ${reasonOf(cause)}`, {
      metadata: { program },
      cause,
    }),
  unknownAgent: (name: string, known: readonly string[]) =>
    optionErrors.invalid("--agent", name, `one of ${known.join(", ")}`),
  settingsConflict: (path: string, key: string) =>
    error(400, "run", "settings_conflict", `${path}: ${key} would lead the agent past the gateway`, {
      metadata: { path, key },
    }),
  settingsUnreadable: (path: string, cause: unknown) =>
    error(400, "run", "settings_unreadable", `${path} can't be read: ${reasonOf(cause)}`, {
      metadata: { path },
      cause,
    }),
};

/** Errors of `troupe hook`: nobody but an agent reads them. */
export const hookErrors = {
  noGateway: (variable: string) =>
    error(
      400,
      "hook",
      "no_gateway",
      `${variable} is not set: it is the gateway's address, which troupe run sets, and whoever sets up hooks by hand`,
    ),
  noGatewayThere: (origin: string) =>
    error(
      502,
      "hook",
      "no_gateway_there",
      `what answers at ${origin} is no gateway, or doesn't know this address`,
      {
        metadata: { origin },
      },
    ),
  notHeard: (status: number, body: string) =>
    error(502, "hook", "not_heard", `it answered ${status}: ${body.slice(0, 300)}`),
};

/** Errors of requests to the gateway. */
export const requestErrors = {
  hostNotAllowed: (host: string) =>
    error(403, "gateway", "host_not_allowed", `Host ${host} is not allowed`, { metadata: { host } }),
  originNotAllowed: (origin: string) =>
    error(403, "gateway", "origin_not_allowed", `Origin ${origin} is not allowed`, { metadata: { origin } }),
  tokenRequired: () =>
    error(
      401,
      "gateway",
      "token_required",
      "This gateway serves the agent that it was started for, and no other",
    ),
  notFound: (path: string) => error(404, "gateway", "not_found", `There is nothing at ${path}`),
  methodNotAllowed: (method: string) =>
    error(405, "gateway", "method_not_allowed", `${method} is not allowed here`),
  badRequest: (reason: string) => error(400, "gateway", "bad_request", reason),
  keyRepeated: (key: string) =>
    error(
      400,
      "gateway",
      "key_repeated",
      `The event says "${key.slice(0, 100)}" twice in one object, and what guards the tool would see one of them: say it once`,
    ),
  unknownPath: (path: string) =>
    error(
      403,
      "gateway",
      "unknown_path",
      `No guardrail would see what ${path} asks, and gateway.unknown_paths is "refuse": nothing was sent`,
    ),
  noWebSocket: () =>
    error(426, "gateway", "no_web_socket", "The gateway speaks no WebSocket: the same is asked over HTTP"),
  stopping: () => error(503, "gateway", "stopping", "The gateway ends", { retryable: true }),
};

/** What the system says of a failed call, without the call and its path: whoever quotes it names those. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const errno: unknown = "errno" in cause ? cause.errno : undefined;
  const [, told] = (typeof errno === "number" ? getSystemErrorMap().get(errno) : undefined) ?? [];
  return told ?? cause.message;
}
