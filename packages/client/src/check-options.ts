import { clientErrors } from "./errors.ts";

/** What the compiler says of misspelt options, for programs without one. Throws `client.unknown_option`. */
export function checkOptions(what: string, options: object | undefined, known: readonly string[]): void {
  for (const name of Object.keys(options ?? {}))
    if (!known.includes(name)) throw clientErrors.unknownOption(name, known, what);
}
