/**
 * Secrets: what no exporter sends unless it is told to.
 *
 * A secret is known by the name of the property that holds it (headers, credentials) or by what it looks like, wherever
 * in an event it stands: data, metadata, profile, also the text of an error. Names are compared without case and with
 * "_" and "-" alike.
 */
import type { Json, Metadata, RelayEvent } from "../events/event.ts";
import { type Detector, detectors, replaceFound } from "./detectors.ts";
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

// A card's number isn't a secret to a program's owner, and ids that pass Luhn's test are common.
const sought: readonly Detector[] = [...detectors.values()].filter(
  ({ name, secret }) => secret && name !== "credit_card",
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
  for (const detector of sought) clean = replaceFound(clean, detector, () => REDACTED);
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
