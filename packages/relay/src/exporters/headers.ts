/** Headers of an exporter: given, or named as environment variables so that configurations hold no credentials. */
import { relayErrors } from "../errors.ts";
import { checkReadable } from "../given.ts";

/** What may be said of headers. */
export interface HeaderOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Names of headers to names of variables. */
  readonly headerEnv?: Readonly<Record<string, string>>;
}

/** All headers. Throws `relay.option_invalid` for a variable that isn't set. */
export function headersOf({ headers = {}, headerEnv = {} }: HeaderOptions): Readonly<Record<string, string>> {
  checkReadable(headers, "headers");
  checkReadable(headerEnv, "headerEnv");
  const named = Object.entries(headerEnv).map(([header, variable]) => {
    const value = process.env[variable];
    if (value === undefined)
      throw relayErrors.optionInvalid(`headerEnv.${header}`, `a variable that is set: ${variable}`);
    return [header, value] as const;
  });
  return { ...headers, ...Object.fromEntries(named) };
}
