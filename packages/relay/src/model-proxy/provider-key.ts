/**
 * Provider keys: a proxy's own, in the place of the one that an agent brings. They are put into a request behind all middleware, and so are
 * in no event, log or export.
 */
import type { ProviderFamily } from "./provider.ts";

/** Keys by upstream. */
export type ProviderKeys = Readonly<Partial<Record<ProviderFamily | "any", string>>>;

/** The headers that carry a key; an agent's own are taken out. */
const carriers: Readonly<Record<ProviderFamily, (key: string) => readonly string[]>> = {
  openai: (key) => ["Authorization", `Bearer ${key}`],
  anthropic: (key) => ["X-Api-Key", key],
  gemini: (key) => ["X-Goog-Api-Key", key],
};

const carrying: ReadonlySet<string> = new Set(["authorization", "x-api-key", "api-key", "x-goog-api-key"]);

/** `headers` with this key in the place of any other. */
export function withKey(
  headers: readonly string[],
  family: ProviderFamily,
  key: string | undefined,
): readonly string[] {
  if (key === undefined) return headers;
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = "", value = ""] = headers.slice(at, at + 2);
    if (!carrying.has(name.toLowerCase())) kept.push(name, value);
  }
  return [...kept, ...carriers[family](key)];
}
