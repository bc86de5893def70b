/**
 * Credentials: secrets that are put into requests on their way out.
 *
 * Inside there is a placeholder, new for each life of a sandbox or an isolate. A header that has it gets the secret, for the hosts that it is
 * for; to any other host the request isn't made. What comes back is searched for the secrets as they are, and has the
 * placeholder in their place: a server that repeats what it got tells nobody inside. One that changes it first (base64, say) is
 * a server that shouldn't be given it.
 */
import { randomBytes } from "node:crypto";
import { networkErrors } from "./errors.ts";
import { type Credential, hostMatches } from "./network-policy.ts";

interface Held extends Credential {
  readonly name: string;
  readonly placeholder: string;
}

/** The credentials of one way out. */
export class Credentials {
  readonly #held: readonly Held[];

  constructor(credentials: Readonly<Record<string, Credential>>) {
    const held = Object.entries(credentials).map(([name, { value, hosts }]) => ({
      name,
      value,
      hosts,
      placeholder: `troupe-credential-${randomBytes(12).toString("hex")}`,
    }));
    // The longest first: of one that begins as another does nothing is left behind that one's placeholder.
    this.#held = held.sort((a, b) => b.value.length - a.value.length);
  }

  /** Placeholders by the names of their variables. */
  get variables(): Record<string, string> {
    return Object.fromEntries(this.#held.map(({ name, placeholder }) => [name, placeholder]));
  }

  /** Headers with the secrets in them. Throws `network.denied` where one isn't for this host. */
  inject(headers: Readonly<Record<string, string>>, url: URL): Record<string, string> {
    return Object.fromEntries(
      Object.entries(headers).map(([header, value]) => {
        let text = value;
        for (const { name, placeholder, value: secret, hosts } of this.#held) {
          if (!text.includes(placeholder)) continue;
          if (!hosts.some((pattern) => hostMatches(pattern, url.hostname)))
            throw networkErrors.denied(url.origin, `${name} is not for it`);
          text = text.replaceAll(placeholder, secret);
        }
        return [header, text];
      }),
    );
  }

  /** True when a header's value has a placeholder in it. */
  isIn(value: string): boolean {
    return this.#held.some(({ placeholder }) => value.includes(placeholder));
  }

  /** A text that has no secret in it. */
  redact(text: string): string {
    return this.#held.reduce((clean, { value, placeholder }) => clean.replaceAll(value, placeholder), text);
  }

  /** Bytes that have no secret in them. */
  redactBytes(bytes: Buffer): Buffer {
    // One byte, one character: what is no text stays as it is.
    const text = bytes.toString("latin1");
    const clean = this.#held.reduce(
      (rest, { value, placeholder }) => rest.replaceAll(Buffer.from(value).toString("latin1"), placeholder),
      text,
    );
    return clean === text ? bytes : Buffer.from(clean, "latin1");
  }
}
