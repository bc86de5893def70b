import { resolve } from "node:path";
import { configErrors } from "../errors.ts";
import type { Durability, ResolvedStartOptions, StartOptions } from "../registry/platform.ts";

const durabilities: readonly Durability[] = ["commit", "interval", "memory"];

/** Argument over environment (empty is unset) over default. Throws `config.invalid_environment`, `config.invalid_option`. */
export function resolveStartOptions(
  options: StartOptions,
  environment: Readonly<Record<string, string | undefined>>,
): ResolvedStartOptions {
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
  };
}

function portFrom(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d+$/.test(text)) throw configErrors.invalidEnvironment("TROUPE_PORT", text, "a port number");
  return Number(text);
}

function durabilityFrom(text: string | undefined): Durability | undefined {
  if (text === undefined || text === "") return undefined;
  const found = durabilities.find((durability) => durability === text);
  if (found === undefined)
    throw configErrors.invalidEnvironment("TROUPE_DURABILITY", text, durabilities.join(", "));
  return found;
}
