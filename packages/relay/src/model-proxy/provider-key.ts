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

/** Google takes a key, or what stands for one, in the address as well. */
const inAddress: ReadonlySet<string> = new Set(["key", "access_token"]);

/** An address without the key that an agent has put there; all else of it is as it came. */
export function withoutKey(url: string, family: ProviderFamily, key: string | undefined): string {
  const at = url.indexOf("?");
  if (key === undefined || family !== "gemini" || at < 0) return url;
  const kept = url
    .slice(at + 1)
    .split("&")
    .filter((part) => !inAddress.has(nameOf(part)));
  return kept.length === 0 ? url.slice(0, at) : `${url.slice(0, at)}?${kept.join("&")}`;
}

/** Of a part of a query, however it is spelt. */
function nameOf(part: string): string {
  const [name = ""] = [...new URLSearchParams(part).keys()];
  return name;
}

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
