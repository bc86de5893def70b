/**
 * Secret names: what headers, properties, variables and parameters are called that hold credentials.
 *
 * Names are compared by how they end, without case and without what separates words: "OPENAI_API_KEY", "x-api-key" and
 * "apiKey" are one. What ends in "tokens" counts them, and is no secret.
 */

/** How names of secrets end, as texts that a pattern has its separators in. */
export const secretEndings: readonly string[] = [
  ...["api-key", "api-keys", "secret-key", "private-key", "access-key", "account-key", "subscription-key"],
  ...["signing-key", "encryption-key", "master-key", "connection-string"],
  ...["password", "passwords", "passwd", "passphrase", "secret", "secrets", "client-secret"],
  ...["token", "credential", "credentials", "cookie", "cookies", "authorization"],
];

/** Of those, what is never a number that counts something. */
const counted = /(?:token|credentials?|cookies?|secrets|passwords|keys)$/;
const ends = new RegExp(`(?:${secretEndings.map(plain).join("|")})$`);
/** Of models' vocabularies, and of lists that are read page by page. */
const harmless = /(?:eos|bos|pad|unk|sep|cls|mask|stop|page|sync|continuation)token$/;
/** No ending is longer, with its separators. */
const LONGEST = 48;

/** True for the name of what holds a credential. */
export function isSecretName(name: string): boolean {
  const known = plain(name.slice(-LONGEST));
  return ends.test(known) && !harmless.test(known);
}

/** True for the name of a credential that may be written as a number. */
export function mayBeNumber(name: string): boolean {
  return !counted.test(plain(name.slice(-LONGEST)));
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.\s]+/g, "");
}
