/**
 * Errors of a program that is wrong before it serves anybody; `errors.ts` exports them with all others.
 */
import { error } from "./new-error.ts";

/** Errors of definitions and options: the program is wrong, not a call. */
export const configErrors = {
  unknownKey: (key: string, suggestion: string | undefined) =>
    error(400, "config", "unknown_key", `An actor has no "${key}"${hint(suggestion)}`, { metadata: { key } }),
  unsupportedKey: (key: string) =>
    error(400, "config", "unsupported_key", `"${key}" is not in this version of Troupe`, {
      metadata: { key },
    }),
  unknownOption: (key: string, suggestion: string | undefined) =>
    error(400, "config", "unknown_option", `There is no option "${key}"${hint(suggestion)}`, {
      metadata: { key },
    }),
  /** An actor whose code is elsewhere: the option is obeyed there. */
  optionOfCode: (key: string, settable: readonly string[]) =>
    error(
      400,
      "config",
      "option_of_code",
      `"${key}" is for the actor's own code to declare. What can be set where it is registered: ${settable.join(", ")}`,
      { metadata: { key } },
    ),
  unsupportedOption: (key: string) =>
    error(400, "config", "unsupported_option", `The option "${key}" is not in this version of Troupe`, {
      metadata: { key },
    }),
  invalidOption: (key: string, expected: string) =>
    error(400, "config", "invalid_option", `"${key}" must be ${expected}`, { metadata: { key } }),
  reservedAction: (name: string, part: string) =>
    error(
      400,
      "config",
      "reserved_action",
      `An action can't be called "${name}": every object has, or is asked for, "${part}"`,
      { metadata: { name, part } },
    ),
  unreadableKey: (key: string, cause: unknown) =>
    error(400, "config", "invalid_option", `"${key}" can't be read: its getter throws`, {
      metadata: { key },
      cause,
    }),
  invalidValue: (path: string, why: string, cause?: unknown) =>
    error(400, "config", "invalid_value", `"${path}" is no value to begin with: ${why}`, {
      metadata: { path },
      cause,
    }),
  bothOf: (one: string, other: string) =>
    error(400, "config", "both_given", `Give either \`${one}\` or \`${other}\`, not both`),
};

/** Errors of `setup` and `start`. Apart, for no host at the edge has them. */
export const setupErrors = {
  notOnHost: (key: string) =>
    error(
      400,
      "config",
      "not_on_host",
      `"${key}" is for the engine to have: a host of an engine elsewhere can't obey it`,
      { metadata: { key } },
    ),
  unknownSetupKey: (key: string, suggestion: string | undefined) =>
    error(400, "config", "unknown_key", `setup() has no "${key}"${hint(suggestion)}`, { metadata: { key } }),
  unsupportedSetupKey: (key: string, instead: string) =>
    error(400, "config", "unsupported_key", `setup() has no "${key}" here: ${instead}`, {
      metadata: { key, instead },
    }),
  twoRelays: () =>
    error(
      400,
      "config",
      "both_given",
      "setup({ relay }) and pluginSet({ relay }) name two relays, and guardrails in one guard nothing in the other: leave one of them out",
    ),
  cannotListen: (host: string, port: number, cause: unknown) =>
    error(400, "config", "cannot_listen", `Can't listen at port ${port} of ${host}`, {
      metadata: { host, port },
      cause,
    }),
  portInUse: (host: string, port: number) =>
    error(
      409,
      "config",
      "port_in_use",
      `Port ${port} of ${host} is in use: choose another with \`port\` or TROUPE_PORT`,
      {
        metadata: { host, port },
      },
    ),
  notStarted: () => error(409, "config", "not_started", "The registry isn't open: call start() first"),
  alreadyStarted: (endpoint: string) =>
    error(409, "config", "already_started", `This registry serves at ${endpoint} already`),
  openedOtherwise: (where: string) =>
    error(
      409,
      "config",
      "opened_otherwise",
      `client() or handler() has opened the store already, ${where}: call start() before them, or stop() first`,
    ),
  unsafeBind: (host: string) =>
    error(
      400,
      "config",
      "unsafe_bind",
      `Binding to ${host} makes the actors reachable from other machines: give allowedHosts, allowedOrigins and auth`,
      { metadata: { host } },
    ),
  /** The same of a server that isn't ours: it listens already, so each of its callers is told. */
  unsafeServer: (address: string) =>
    error(
      403,
      "config",
      "unsafe_bind",
      `This server is reachable from other machines at ${address}, and nobody has to show who they are: bind it to 127.0.0.1, or give setup() allowedHosts, allowedOrigins and auth`,
      { metadata: { host: address } },
    ),
  invalidEnvironment: (name: string, value: string, expected: string) =>
    error(400, "config", "invalid_environment", `${name}=${value}: must be ${expected}`, {
      metadata: { name },
    }),
};

function hint(suggestion: string | undefined): string {
  return suggestion === undefined ? "" : `. Did you mean "${suggestion}"?`;
}
