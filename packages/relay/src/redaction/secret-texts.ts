/**
 * Secret texts: credentials in what isn't JSON. `name=value` in all its forms (parameters of addresses, variables, headers,
 * pieces of JSON), passwords in addresses, and private keys. Every pattern consumes what it has read.
 */
import { isSecretName, mayBeNumber, secretEndings } from "./secret-names.ts";

const endings = secretEndings
  .map((ending) => ending.replaceAll("-", "[-_. ]?"))
  .sort((one, other) => other.length - one.length)
  .concat("[a-z]?pass")
  .join("|");
const hint = new RegExp(endings, "i");
/** A quote, and how deep it lies in texts of texts; then what is quoted. The closing quote may be missing. */
const quoted = String.raw`\\*["'](?:[^"'\\]|\\+[^"'\\])*`;
const assignment = new RegExp(
  String.raw`((?:eos|bos|pad|unk|sep|cls|mask|stop|page|sync|continuation)[-_. ]?)?(${endings})(\\{0,8}["']?\s{0,4}[:=]\s{0,4})(${quoted}|[^\s"'<>&\\{}[\]][^\s"'<>&\\]*)`,
  "gi",
);
/** Their value has spaces. */
const header = /((?:authorization|cookie)\s{0,4}[:=]\s{0,4})([^\s"'\\{}[\]][^\r\n"'\\]*)/gi;
/** An option of a command, whose value is the next word: `--password x`. */
const option = new RegExp(
  String.raw`((?:^|[\s"'\[,])--?(?:[a-z0-9]{1,24}[-_.]){0,4}(?:${endings})["']?,?\s{1,4})(${quoted}|[^\s"'<>&\\{}[\]-][^\s"'<>&\\]*)`,
  "gi",
);
/** The text of an element of XML. */
const element = new RegExp(
  String.raw`(<(?:[\w.-]{1,24}:)?(?:[\w.]{0,24}[-_.])?(?:${endings})>)([^<>]+)`,
  "gi",
);
const pem =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/g;
const address = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)([^\s"'<>]+)/gi;

/** What may be a user and a password behind the name of the scheme. */
const basic = /\b(basic\s{1,4})([a-z0-9+/_-]{4,}={0,2})/gi;

/** What stands between a name and its value; what begins JSON may have a list of both. */
const separators = ["=", ":", "-", "<"] as const;
const jsonBegins = /^\s*[[{"]/;

/** True when a text may hold what stands under the name of a secret. */
export function mayNameSecrets(text: string): boolean {
  return (
    (separators.some((separator) => text.includes(separator)) || jsonBegins.test(text)) && hint.test(text)
  );
}

/** A text with `instead` for what stands under the name of a secret. */
export function withoutAssigned(text: string, instead: string): string {
  return text
    .replace(header, (_found, name: string) => `${name}${instead}`)
    .replace(element, (found, tag: string, value: string) => (isCount(value) ? found : `${tag}${instead}`))
    .replace(option, (found, name: string, value: string) => {
      if (isCount(value)) return found;
      return `${name}${/^\\*["']/.exec(value)?.[0] ?? ""}${instead}`;
    })
    .replace(
      assignment,
      (found: string, harmless: string | undefined, name: string, between: string, value: string) => {
        if (harmless !== undefined || isPlain(name, value)) return found;
        const quote = /^\\*["']/.exec(value)?.[0] ?? "";
        return `${name}${between}${quote}${instead}`;
      },
    );
}

/** A text with `instead` for private keys. */
export function withoutPrivateKeys(text: string, instead: string): string {
  return text.includes("PRIVATE KEY") ? text.replace(pem, () => instead) : text;
}

/** A text with `instead` for the credentials of the scheme Basic, wherever they stand. */
export function withoutBasic(text: string, instead: string): string {
  return text.replace(basic, (found, scheme: string, encoded: string) =>
    isUserAndPassword(encoded) ? `${scheme}${instead}` : found,
  );
}

/** What follows the word "basic" is mostly another word. */
function isUserAndPassword(encoded: string): boolean {
  try {
    return /^[\x20-\x7e\x80-\xff]*:/.test(atob(encoded.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return false;
  }
}

/** A text with `instead` for `user:password` in addresses. */
export function withoutUserinfo(text: string, instead: string): string {
  if (!text.includes("@")) return text;
  return text.replace(address, (found, scheme: string, rest: string) => {
    const at = rest.lastIndexOf("@");
    if (at < 0 || !hasPassword(rest.slice(0, at))) return found;
    return `${scheme}${instead}${rest.slice(at)}`;
  });
}

/**
 * Whether what stands before the last "@" of an address begins with a user and a password. A password may have "/" and "@" in it, though
 * it shouldn't: then it is told from a host by its colon, which has no port behind it.
 */
function hasPassword(before: string): boolean {
  const authority = /^[^/?#]*/.exec(before)?.[0] ?? "";
  const colon = authority.indexOf(":");
  if (colon < 0 || authority.startsWith("[")) return false;
  const whole = authority.length === before.length || authority.includes("@");
  return whole || colon === 0 || !/^\d{0,5}$/.test(authority.slice(colon + 1));
}

/** What is told of a credential without being one: how many, whether at all, what was replaced before. */
function isCount(value: string): boolean {
  return /^\s*(?:[\d.]+|null|true|false|undefined)?\s*[,;)]?$/.test(value) || value.startsWith("[");
}

/** What is no secret under the name of one: nothing, flags, counts, what was replaced before. */
function isPlain(name: string, value: string): boolean {
  if (/^(?:null|true|false|undefined)[,;)]?$/.test(value) || value.startsWith("[")) return true;
  if (/pass$/i.test(name) && !isSecretName(name)) return true;
  if (name === "PWD" && /^["']?[/~]/.test(value)) return true;
  return /^[\d.]+[,;)]?$/.test(value) && !mayBeNumber(name);
}
