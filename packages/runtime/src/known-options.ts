import { nearest } from "@troupe/base";
import { configErrors } from "./config-errors.ts";

/**
 * Refuses what nobody would read: an option that is misspelt, or of another version, is never dropped in silence. Throws
 * `config.unknown_option`, and `config.invalid_option` for what is no object. `place`: how the program calls it.
 */
export function checkKnownOptions(place: string, given: object, known: readonly string[]): void {
  if (typeof given !== "object" || given === null) throw configErrors.invalidOption(place, "an object");
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && !known.includes(name))
      throw configErrors.unknownOption(`${place}.${name}`, nearest(name, known));
}
