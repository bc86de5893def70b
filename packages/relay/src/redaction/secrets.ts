/**
 * Secrets: what no exporter sends unless it is told to.
 *
 * A secret is known by the name of the property that holds it (headers, credentials) or by what it looks like, wherever
 * in an event it stands: data, metadata, profile, also the text of an error. Names are compared without case and with
 * "_" and "-" alike.
 */
import type { Json, Metadata, RelayEvent } from "../events/event.ts";
import { type DetectorName, detectorNames, detectors, replaceFound } from "./detectors.ts";
import { type Rewriter, rewrite } from "./rewrite.ts";

/** What stands in a secret's place. */
export const REDACTED = "[REDACTED]";

const names: ReadonlySet<string> = new Set([
  ...["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "apikey"],
  ...["anthropic-api-key", "x-goog-api-key", "x-amz-security-token", "x-auth-token", "x-csrf-token"],
  ...["password", "passwd", "passphrase", "secret", "client-secret", "secret-key", "private-key"],
  ...["secret-access-key", "aws-secret-access-key", "access-token", "refresh-token", "id-token"],
  ...["session-token", "auth-token", "bearer-token", "credentials"],
]);

/**
 * What a text must have before a detector is worth asking: reading every text with every pattern would be slow. Keys are
 * long words without a break. A card's number isn't here: it isn't a secret to a program's owner, and ids that pass
 * Luhn's test are common.
 */
const clues: Partial<Readonly<Record<DetectorName, (text: string) => boolean>>> = {
  bearer_token: (text) => text.includes("earer") || text.includes("EARER"),
  api_key: (text) => hasWord(text, 16) && (text.includes("-") || text.includes("_")),
  jwt: (text) => text.includes("eyJ"),
  aws_access_key_id: (text) => hasWord(text, 20),
  aws_secret_access_key: (text) => hasWord(text, 40),
  gcp_api_key: (text) => text.includes("AIza"),
  azure_storage_account_key: (text) => text.includes("==") && hasWord(text, 88),
};

const sought = detectorNames.flatMap((name) => {
  const [detector, clue] = [detectors.get(name), clues[name]];
  return detector === undefined || clue === undefined ? [] : [{ detector, clue }];
});

/** By character code: true for what words of keys are made of. */
const wordCodes = Uint8Array.from({ length: 128 }, (_, code) =>
  /[\w+/=.~-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** `user:password@` in an address. */
const userinfo = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:"'<>]{1,256}:[^\s/@"'<>]{1,256}@/gi;

const rewriter: Rewriter = { property: secretProperty, text: textWithoutSecrets };

/** The event without secrets; itself when it has none. */
export function eventWithoutSecrets(event: RelayEvent): RelayEvent {
  const data = rewrite(event.data, rewriter);
  const metadata = record(event.metadata);
  const category_profile = record(event.category_profile);
  const name = textWithoutSecrets(event.name);
  const same =
    data === event.data &&
    metadata === event.metadata &&
    category_profile === event.category_profile &&
    name === event.name;
  return same ? event : { ...event, name, data, metadata, category_profile };
}

/** A text without what looks like a secret. */
export function textWithoutSecrets(text: string): string {
  // The shortest secret that is known by its looks.
  if (text.length < 12) return text;
  let clean = text;
  for (const { detector, clue } of sought)
    if (clue(clean)) clean = replaceFound(clean, detector, () => REDACTED);
  return clean.includes("@") ? clean.replace(userinfo, `$1${REDACTED}@`) : clean;
}

function secretProperty(name: string, value: Json): Json | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "number") return undefined;
  return names.has(name.toLowerCase().replaceAll("_", "-")) ? REDACTED : undefined;
}

function record(metadata: Metadata | null): Metadata | null {
  if (metadata === null) return null;
  const entries = rewrite(metadata, rewriter);
  return typeof entries === "object" && entries !== null ? (entries as Metadata) : null;
}

/** True when a word has so many characters: looked for from its end, so that most of a text is leapt over. */
function hasWord(text: string, least: number): boolean {
  for (let end = least - 1; end < text.length; ) {
    let found = 0;
    while (found < least && wordCodes[text.charCodeAt(end - found)] === 1) found += 1;
    if (found === least) return true;
    end += least - found;
  }
  return false;
}
