/** Provider keys: the gateway's own, in the place of those that agents bring. They are read when it starts. */
import { readFile } from "node:fs/promises";
import type { ProviderKeys } from "@troupe/relay/model-proxy";
import type { KeySource } from "../config/setting.ts";
import { configErrors } from "../errors.ts";
import type { GatewayOptions } from "./options.ts";

type Environment = Readonly<Record<string, string | undefined>>;

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

/** What a header can hold. */
function isKey(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
