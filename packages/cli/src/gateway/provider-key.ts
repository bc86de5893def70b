/**
 * Provider keys: the gateway's own, in the place of the one that an agent brings. They are read when a gateway starts, put into a
 * request behind all middleware, and so are in no event, log or export.
 */
import { readFile } from "node:fs/promises";
import type { KeySource, UpstreamName } from "../config/setting.ts";
import { configErrors } from "../errors.ts";
import type { GatewayOptions } from "./options.ts";
import type { ProviderFamily } from "./provider.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Keys by upstream. */
export type ProviderKeys = Readonly<Partial<Record<UpstreamName, string>>>;

/** The headers that carry a key; an agent's own are taken out. */
const carriers: Readonly<Record<ProviderFamily, (key: string) => readonly string[]>> = {
  openai: (key) => ["Authorization", `Bearer ${key}`],
  anthropic: (key) => ["X-Api-Key", key],
  gemini: (key) => ["X-Goog-Api-Key", key],
};

const carrying: ReadonlySet<string> = new Set(["authorization", "x-api-key", "api-key", "x-goog-api-key"]);

/** Reads them. Throws `config.key_missing`. */
export async function readKeys(keys: GatewayOptions["keys"], env: Environment): Promise<ProviderKeys> {
  const read = Object.entries(keys).map(async ([name, source]) => [name, await readKey(name, source, env)]);
  return Object.fromEntries(await Promise.all(read));
}

/** Throws `config.key_missing`. */
export async function readKey(name: string, source: KeySource, env: Environment): Promise<string> {
  if ("variable" in source) {
    const key = env[source.variable];
    if (key === undefined || !isKey(key))
      throw configErrors.keyMissing(
        name,
        `the variable ${source.variable} ${key ? "has no key" : "isn't set"}`,
      );
    return key;
  }
  const key = await readFile(source.file, "utf8").then(
    (text) => text.trim(),
    (cause: unknown) => {
      throw configErrors.keyMissing(name, source.file, cause);
    },
  );
  if (!isKey(key)) throw configErrors.keyMissing(name, `${source.file} has no key in it`);
  return key;
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

/** What a header can hold. */
function isKey(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
