/** A plugin's configuration, held to the JSON Schema that its manifest names, before any of its code sees it. */
import { type Schema, Validator } from "@cfworker/json-schema";
import { limits } from "@troupe/protocol";
import { configurationErrors } from "../errors.ts";
import { readNamedFile } from "./checked-file.ts";
import type { PluginManifest } from "./manifest.ts";

/**
 * Checks a configuration; none is held to the schema as `{}` is. Throws `plugin.config_invalid`, `plugin.config_schema_invalid`,
 * `plugin.file_*`, `plugin.integrity_mismatch`.
 */
export async function checkConfiguration(manifest: PluginManifest, config: unknown): Promise<void> {
  const { id, origin, configSchema, load } = manifest;
  if (configSchema === undefined) return;
  const sha256 = load.files.get(configSchema);
  const named = { origin, key: "config_schema", path: configSchema, sha256 };
  const { path, bytes } = await readNamedFile(named, limits.pluginManifestBytes);
  const schema = parseSchema(path, bytes);
  const { valid, errors } = validate(path, schema, config === undefined ? {} : config);
  if (valid) return;
  // The last one is about the place that is wrong, those before it about what it is in.
  const { instanceLocation, error } = errors.at(-1) ?? { instanceLocation: "#", error: "it doesn't fit" };
  throw configurationErrors.invalid(id, path, { at: instanceLocation, why: error });
}

function parseSchema(path: string, bytes: Uint8Array): Schema {
  try {
    const schema: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(schema)) return schema;
  } catch (cause) {
    throw configurationErrors.badSchema(path, cause);
  }
  throw configurationErrors.badSchema(path, new TypeError("it must be a JSON object"));
}

function validate(path: string, schema: Schema, config: unknown) {
  try {
    return new Validator(schema, "2020-12", false).validate(config);
  } catch (cause) {
    throw configurationErrors.badSchema(path, cause);
  }
}

function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
