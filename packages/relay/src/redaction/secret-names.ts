/**
 * Secret names: what headers, properties, variables and parameters are called that hold credentials.
 *
 * Names are compared by how they end, without case and without what separates words: "OPENAI_API_KEY", "x-api-key" and
 * "apiKey" are one. What ends in "tokens" counts them, and is no secret.
 */

import { Known } from "./known.ts";

/** How names of secrets end, as texts that a pattern has its separators in. */
export const secretEndings: readonly string[] = [
  ...["api-key", "api-keys", "secret-key", "private-key", "access-key", "account-key", "subscription-key"],
  ...["signing-key", "encryption-key", "master-key", "connection-string"],
  ...["password", "passwords", "passwd", "pwd", "passphrase", "secret", "secrets", "client-secret"],
  ...["token", "credential", "credentials", "cookie", "cookies", "authorization", "x-auth"],
];

/** A word of its own only: what ends in it is mostly something else. */
const pass = /(?:^|[-_.\s])(?:pass|PASS)$|[a-z]Pass$/;
/** The directory that a shell is in. */
const directory = /^(?:OLD)?PWD$/;
/** Of those, what is never a number that counts something. */
const counted = /(?:token|credentials?|cookies?|secrets|passwords|keys|pass)$/;
const ends = new RegExp(`(?:${secretEndings.map(plain).join("|")})$`);
/** Of models' vocabularies, and of lists that are read page by page. */
const harmless = /(?:eos|bos|pad|unk|sep|cls|mask|stop|page|sync|continuation)token$/;
/** No ending is longer, with its separators. */
const LONGEST = 48;

const known = new Known(isSecret);

/** True for the name of what holds a credential. */
export function isSecretName(name: string): boolean {
  return known.of(name);
}

function isSecret(name: string): boolean {
  const end = name.slice(-LONGEST);
  if (directory.test(name)) return false;
  if (pass.test(end)) return true;
  const words = plain(end);
  return ends.test(words) && !harmless.test(words);
}

/** Words in names of headers, which providers and proxies in front of them make up: any of them, wherever it stands. */
const headerWords: readonly string[] = [
  "o?auth(?:n|z|enticate|entication|orization)?",
  ".*(?:keys?|token|secrets?|signature|password|credentials?|cookie|jwt|bearer|certs?|certificate)",
  ...["bypass", "assertion", "hmac", "sig", "sas", "pat", "passphrase", "passcode", "passwd", "pwd", "pin"],
  // What somebody is known by for a while, or once.
  ...["csrf", "xsrf", "sid", "ticket", "otp", "totp", "mfa", "dpop"],
  // What a proxy says of who it let in: signed, and good for as long as that is.
  ...["saml", "oidc", "principal", "xfcc", "jw[es]", "wsse"],
];
const headerWord = new RegExp(`^(?:${headerWords.join("|")})$`);

const knownHeaders = new Known(isSecretOfHeaders);

/** True for the name of a header that may hold a credential. Said too often rather than too seldom: an event lacks no more than a header. */
export function isSecretHeader(name: string): boolean {
  return knownHeaders.of(name);
}

function isSecretOfHeaders(name: string): boolean {
  const words = name.toLowerCase().split(/[-_.\s]+/);
  return isSecret(name) || words.some((word) => headerWord.test(word));
}

/** True for the name of a credential that may be written as a number. */
export function mayBeNumber(name: string): boolean {
  return !counted.test(plain(name.slice(-LONGEST)));
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.\s]+/g, "");
}
