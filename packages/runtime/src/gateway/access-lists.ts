/**
 * What the lists of access may hold. A list is compared with what a browser or a client sends, letter by letter: what can never be
 * sent would lock everybody out, in production first, so it is refused where it is set up, and what means the same is written as it is sent.
 */
import { configErrors } from "../errors.ts";
import type { AccessConfig } from "./access.ts";

/** A scheme and a host, maybe a port; no user, path or wildcard. */
const originForm = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*\\]+\/?$/i;

/** Origins that name nobody, and are sent as they are. `"*"` is any. */
const wholeOrigins: ReadonlySet<string> = new Set(["*", "null", "file://"]);

/** An origin as browsers send it; undefined for what none would send. */
export function originOf(text: string): string | undefined {
  if (wholeOrigins.has(text)) return text;
  if (!originForm.test(text) || !URL.canParse(text)) return undefined;
  const { origin } = new URL(text);
  // Schemes that URL knows no origins of: apps' own (`capacitor://localhost`).
  return origin === "null" ? text.toLowerCase().replace(/\/$/, "") : origin;
}

const hostForm = /^(?:\[[\da-f:.]+\]|[^\s:/?#@*[\]\\]+)$/i;

/** A host as Host headers have it, without a port; undefined for what is none. */
export function hostOf(text: string): string | undefined {
  return hostForm.test(text) ? text.toLowerCase() : undefined;
}

/** What can stand in a header as it is: printable ASCII, and no space at an end. */
const tokenForm = /^[!-~](?:[ -~]*[!-~])?$/;

/** Throws `config.invalid_option`. Settings that open a door must be exactly what they look like. */
export function checkAccess({ auth, allowedHosts, allowedOrigins, token }: AccessConfig): void {
  if (auth !== undefined && auth !== "token" && auth !== "application")
    throw configErrors.invalidOption("auth", '"token" or "application"');
  checkList(
    "allowedHosts",
    allowedHosts,
    hostOf,
    'names without scheme or port, such as "app.example" or "[::1]"',
  );
  checkList(
    "allowedOrigins",
    allowedOrigins,
    originOf,
    'origins without a path, such as "https://app.example" or "http://app.example:8080", or ["*"] for any',
  );
  if (token !== undefined && (typeof token !== "string" || !tokenForm.test(token)))
    throw configErrors.invalidOption("token", "a text that a header can carry: printable ASCII");
  if (auth === "token" && token === undefined)
    throw configErrors.invalidOption("token", 'given when auth is "token"');
}

function checkList(
  name: string,
  list: readonly string[] | undefined,
  read: (text: string) => string | undefined,
  form: string,
): void {
  if (list === undefined) return;
  const texts: unknown = list;
  if (!Array.isArray(texts) || !texts.every((each) => typeof each === "string"))
    throw configErrors.invalidOption(name, `a list of texts: ${form}`);
  const wrong = list.find((each) => read(each) === undefined);
  if (wrong !== undefined)
    throw configErrors.invalidOption(name, `a list of ${form}; "${wrong}" never matches`);
}
