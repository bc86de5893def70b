import { resolve } from "node:path";
import { nearest } from "@troupe/base";
import { configErrors, setupErrors } from "../errors.ts";
import type { Durability, ResolvedStartOptions, StartOptions } from "../registry/platform.ts";
import type { ProgramHostOptions } from "../registry/program-host.ts";
import { busyPolls } from "./busy-poll.ts";
import { logLevels } from "./log.ts";

const durabilities: readonly Durability[] = ["commit", "interval", "memory"];

/** Argument over environment (empty is unset) over default. Throws `config.invalid_environment`, `config.invalid_option`. */
export function resolveStartOptions(
  options: StartOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ResolvedStartOptions {
  checkOptions(options);
  checkLogLevel(environment["TROUPE_LOG"]);
  checkBusyPoll(environment["TROUPE_BUSY_POLL"]);
  const port = options.port ?? portFrom(environment["TROUPE_PORT"]) ?? 6420;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw configErrors.invalidOption("port", "0 to 65535");
  const durability = options.durability ?? durabilityFrom(environment["TROUPE_DURABILITY"]) ?? "commit";
  if (!durabilities.includes(durability))
    throw configErrors.invalidOption("durability", durabilities.join(", "));
  return {
    port,
    host: options.host ?? (environment["TROUPE_HOST"] || "127.0.0.1"),
    dataDir: resolve(options.dataDir ?? (environment["TROUPE_DATA"] || ".troupe")),
    durability,
    signals: options.signals ?? true,
    banner: options.banner ?? true,
    ...(options.hostProcesses === undefined ? {} : { hostProcesses: options.hostProcesses }),
    ...(options.plugins === undefined ? {} : { plugins: options.plugins }),
  };
}

/** The engine that the environment names. Throws `config.invalid_environment`. */
export function engineOf(
  environment: Readonly<Record<string, string | undefined>>,
): Pick<ProgramHostOptions, "endpoint" | "token" | "namespace" | "pool" | "programVersion"> {
  const version = environment["TROUPE_PROGRAM_VERSION"];
  if (version && !/^\d{1,15}$/.test(version))
    throw setupErrors.invalidEnvironment("TROUPE_PROGRAM_VERSION", version, "a whole number");
  const { TROUPE_ENDPOINT: endpoint, TROUPE_HOSTS_TOKEN: token, TROUPE_POOL: pool } = environment;
  const namespace = environment["TROUPE_NAMESPACE"];
  return {
    ...(endpoint ? { endpoint } : {}),
    ...(token ? { token } : {}),
    ...(namespace ? { namespace } : {}),
    ...(pool ? { pool } : {}),
    ...(version ? { programVersion: Number(version) } : {}),
  };
}

/** The options of `start`. */
export const startOptionNames: readonly string[] = [
  "port",
  "host",
  "dataDir",
  "durability",
  "signals",
  "banner",
  "hostProcesses",
  "plugins",
];

/** A misspelt `dataDir` would put data where nobody looks for it. */
function checkOptions(options: StartOptions): void {
  if (typeof options !== "object" || options === null)
    throw configErrors.invalidOption("start", "called with an object, or with nothing");
  for (const name of Object.keys(options))
    if (!startOptionNames.includes(name))
      throw configErrors.unknownOption(name, nearest(name, startOptionNames));
  for (const [name, text] of Object.entries({ host: options.host, dataDir: options.dataDir }))
    if (text !== undefined && (typeof text !== "string" || text === ""))
      throw configErrors.invalidOption(name, "a text that isn't empty");
}

function portFrom(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d+$/.test(text)) throw setupErrors.invalidEnvironment("TROUPE_PORT", text, "a port number");
  return Number(text);
}

function durabilityFrom(text: string | undefined): Durability | undefined {
  if (text === undefined || text === "") return undefined;
  const found = durabilities.find((durability) => durability === text);
  if (found === undefined)
    throw setupErrors.invalidEnvironment("TROUPE_DURABILITY", text, durabilities.join(", "));
  return found;
}

function checkLogLevel(text: string | undefined): void {
  if (text === undefined || text === "" || logLevels.some((level) => level === text)) return;
  throw setupErrors.invalidEnvironment("TROUPE_LOG", text, logLevels.join(", "));
}

function checkBusyPoll(text: string | undefined): void {
  if (text === undefined || text === "" || busyPolls.some((mode) => mode === text)) return;
  throw setupErrors.invalidEnvironment("TROUPE_BUSY_POLL", text, busyPolls.join(", "));
}
