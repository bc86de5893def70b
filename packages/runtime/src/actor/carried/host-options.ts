/**
 * Host options: those options of a carried actor that the runtime keeps, whatever the code behind the carrier does. Only they
 * can be set where the actor is registered; all others are the code's to declare, for it is the code that obeys them.
 */
import { configErrors } from "../../errors.ts";
import { type ActorOptions, parseOptions } from "../options.ts";

const names = [
  "name",
  "icon",
  "actionTimeout",
  "sleepTimeout",
  "sleepGracePeriod",
  "noSleep",
  "rateLimit",
  "maxIncomingMessageSize",
  "maxOutgoingMessageSize",
] as const;

/** Options that a program may set of an actor whose code is elsewhere. They win over what the code declares. */
export type HostOptions = Pick<ActorOptions, (typeof names)[number]>;

/** A copy, frozen. Throws `config.unknown_option`, `config.invalid_option`, `config.option_of_code`. */
export function parseHostOptions(given: HostOptions = {}): HostOptions {
  parseOptions(given);
  const known: readonly string[] = names;
  const other = Object.keys(given).find((name) => !known.includes(name));
  if (other !== undefined) throw configErrors.optionOfCode(other, known);
  return Object.freeze({ ...given });
}
