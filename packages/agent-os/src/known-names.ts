/** Names that an object of the configuration may have. */
import { nearest } from "@troupe/base";
import { configErrors } from "./errors.ts";

/** Throws `config.unknown_option` for another. `where`: what people are told that it is. */
export function checkNames(where: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw configErrors.unknownOption(where, key, nearest(key, known));
}
