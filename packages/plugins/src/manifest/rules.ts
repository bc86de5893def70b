/** What texts of a manifest must be. */
import { isAbsolute, win32 } from "node:path";
import semver from "semver";
import type { TextRule } from "./table.ts";

/** What a plugin may contribute, and what it may ask of the relay. */
export type Capability = Contribution | "events" | "codecs" | "registrations" | "gates" | "calls";

/** What a plugin may contribute. */
export type Contribution = "actors" | "middleware";

/** All of it. */
export const allCapabilities: readonly Capability[] = [
  ...(["actors", "middleware"] as const),
  ...(["events", "codecs", "registrations", "gates", "calls"] as const),
];

/** Whether a manifest may list it. */
export function isCapability(name: string): name is Capability {
  return allCapabilities.some((known) => known === name);
}

/** The rules, by what they are about. */
export const rules = {
  id: matching(/^[a-z][a-z0-9-]{0,63}$/, "a lower-case letter, then at most 63 letters, digits and hyphens"),
  name: matching(/^[^\p{Cc}]{1,200}$/u, "a text of 1 to 200 characters"),
  version: { accepted: 'a version as "1.2.3"', test: (text) => semver.valid(text) === text },
  range: {
    accepted: 'a range of versions as ">=0.1.0 <0.2.0"',
    test: (text) => semver.validRange(text) !== null,
  },
  capability: { accepted: allCapabilities.map((name) => `"${name}"`).join(" or "), test: isCapability },
  digest: matching(/^[0-9a-f]{64}$/, "a SHA-256, 64 lower-case hexadecimal digits"),
  path: {
    accepted: 'a path inside the manifest\'s folder, with "/" between names and without "." and ".."',
    test: isInnerPath,
  },
  schema: {
    accepted:
      'the path of a JSON Schema\'s file inside the manifest\'s folder, with "/" between names and without "." and ".."',
    test: isInnerPath,
  },
  argument: { accepted: "a text without NUL", test: (text) => !text.includes("\0") },
  variable: matching(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable"),
} as const satisfies Record<string, TextRule>;

function matching(pattern: RegExp, accepted: string): TextRule {
  return { accepted, test: (text) => pattern.test(text) };
}

function isInnerPath(path: string): boolean {
  if (isAbsolute(path) || win32.isAbsolute(path) || /[\\\0:]/.test(path)) return false;
  return path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}
