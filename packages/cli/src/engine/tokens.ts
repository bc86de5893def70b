/** The tokens of an engine's hosts, from a file: they stand in no list of processes. */
import { readFileSync } from "node:fs";
import type { HostToken } from "@troupe/runtime";
import { configErrors, engineErrors } from "../errors.ts";

/** `[{ "token": "…", "namespace": "staging", "pool": "gpu" }]`. Throws `config.file_missing`, `config.unreadable`, `config.bad_tokens`. */
export function readTokens(path: string): readonly HostToken[] {
  const value = parse(path, read(path));
  if (!Array.isArray(value) || value.length === 0)
    throw engineErrors.badTokens(path, "it is no list with a token in it");
  return value.map((one: unknown, index) => tokenOf(path, one, index));
}

const FIELDS = ["token", "namespace", "pool"];

function tokenOf(path: string, value: unknown, index: number): HostToken {
  const fields: Readonly<Record<string, unknown>> = typeof value === "object" ? { ...value } : {};
  for (const [name, text] of Object.entries(fields)) {
    if (!FIELDS.includes(name)) throw engineErrors.badTokens(path, `entry ${index}: there is no "${name}"`);
    if (typeof text !== "string" || text === "")
      throw engineErrors.badTokens(path, `entry ${index}: "${name}" is no text`);
  }
  const { token, namespace, pool } = fields;
  if (typeof token !== "string") throw engineErrors.badTokens(path, `entry ${index}: there is no token`);
  return {
    token,
    ...(typeof namespace === "string" && { namespace }),
    ...(typeof pool === "string" && { pool }),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT")
      throw configErrors.missing(path);
    throw configErrors.unreadable(path, cause);
  }
}

/** What isn't JSON isn't shown: it may be a token. */
function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw engineErrors.badTokens(path, "it isn't JSON");
  }
}
