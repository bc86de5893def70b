/** How long the actors of a host have to leave it: what is no time is refused before anything happens. */
import { limits } from "@troupe/protocol";
import { configErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";

/** What a host is drained with. */
export interface DrainOptions {
  /** What hasn't left by then is lost. Default: 30 s; at most a day. */
  readonly withinMs?: number;
}

/** The time that a drain has. Throws `config.unknown_option`, `config.invalid_option`. */
export function readDrain(options: DrainOptions = {}): number {
  checkKnownOptions("drain", options, ["withinMs"]);
  const { withinMs = limits.hostDrainMs } = options;
  checkWithin(withinMs);
  return withinMs;
}

/** Throws `config.invalid_option`. */
export function checkWithin(withinMs: unknown): void {
  const most = limits.hostDrainLongestMs;
  if (!Number.isInteger(withinMs) || Number(withinMs) < 0 || Number(withinMs) > most)
    throw configErrors.invalidOption("withinMs", `a whole number of milliseconds from 0 to ${most}`);
}
