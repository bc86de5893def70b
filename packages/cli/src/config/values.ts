/** Values of settings, read from what was written: the same rules for a flag, a variable and a file. */
import { configErrors, optionErrors } from "../errors.ts";
import { isLoopback } from "../gateway/access.ts";
import type { Settings } from "./setting.ts";

/** Throws `config.invalid_option` and `config.unsafe_bind`. */
export function readBind(place: string, text: string): Settings["bind"] {
  const [, bracketed, name, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535)
    throw optionErrors.invalid(place, text, "an address and a port, as 127.0.0.1:4040");
  if (!isLoopback(host)) throw optionErrors.unsafeBind(place, text);
  return { host, port };
}

/** An address of a provider. Throws `config.invalid_option`, and `config.key_in_file` for one with a password in it. */
export function readUpstreamUrl(place: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    // Behind "?" or before "@" may be a key.
    throw optionErrors.invalid(
      place,
      text.replace(/\?.*|\S*@/gs, "…"),
      "an http or https address without query",
    );
  if (url.username !== "" || url.password !== "") throw configErrors.keyInFile(place);
  return url;
}

/** Throws `config.invalid_option`. */
export function readUnknownPaths(place: string, text: string): Settings["unknownPaths"] {
  if (text !== "pass" && text !== "refuse") throw optionErrors.invalid(place, text, '"pass" or "refuse"');
  return text;
}

/** Throws `config.invalid_option`. */
export function readFlag(place: string, text: string): boolean {
  if (text !== "true" && text !== "false") throw optionErrors.invalid(place, text, '"true" or "false"');
  return text === "true";
}
