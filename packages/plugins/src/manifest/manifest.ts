/**
 * Manifest: what `troupe-plugin.toml` says of a plugin, before any of its code runs.
 *
 * Everything is refused that isn't known: a key, a value, a path that leads out of the manifest's folder. The published
 * schema, `troupe-plugin.schema.json`, says the same to editors; a test holds the two together.
 */
import { dirname } from "node:path";
import { TROUPE_VERSION } from "@troupe/base";
import { PLUGIN_VERSIONS } from "@troupe/protocol/plugin/v1";
import semver from "semver";
import { parse } from "smol-toml";
import { manifestErrors } from "../errors.ts";
import type { Origin } from "./checked-file.ts";
import { type PluginKind, type PluginLoad, pluginKinds, readLoad } from "./load.ts";
import { type Capability, isCapability, rules } from "./rules.ts";
import { Table } from "./table.ts";

/** The name of the file. */
export const MANIFEST_NAME = "troupe-plugin.toml";

/** The major versions of the native ABI that this host has: `sdks/c/include/troupe_plugin.h`. */
export const NATIVE_ABIS: readonly number[] = [1];

/** What happens to the host when the plugin can't be started. */
export type Startup = "required" | "optional";

/** A plugin, as it says itself. */
export interface PluginManifest {
  readonly origin: Origin;
  /** Unique among the plugins of a host. */
  readonly id: string;
  /** For people; the id where none is given. */
  readonly name: string;
  readonly version: string;
  /** What the plugin may declare. More than that, and it isn't activated. */
  readonly capabilities: readonly Capability[];
  /** Default: required. */
  readonly startup: Startup;
  /** The JSON Schema of its configuration, relative to the manifest. Undefined: it takes any. */
  readonly configSchema: string | undefined;
  readonly load: PluginLoad;
}

/** Reads a manifest's text. Throws `plugin.manifest_*`, and `plugin.incompatible` for another Troupe's plugin. */
export function parseManifest(text: string, file: string): PluginManifest {
  const root = new Table(file, parseToml(text, file));
  root.exactly("manifest_version", 1);
  const plugin = root.table("plugin");
  const id = plugin.text("id", rules.id);
  const name = plugin.optionalText("name", rules.name) ?? id;
  const version = plugin.text("version", rules.version);
  const kind = plugin.oneOf<PluginKind>("kind", pluginKinds);
  plugin.end();
  checkCompatibility(root.table("compat"), kind, file);
  const capabilities = root.texts("capabilities", rules.capability).filter(isCapability);
  const startup = root.oneOf<Startup>("startup", ["required", "optional"], "required");
  const configSchema = root.optionalText("config_schema", rules.schema);
  const load = readLoad(kind, root.table("load"), root.table("integrity"));
  root.end();
  const origin = { file, folder: dirname(file) };
  return { origin, id, name, version, capabilities, startup, configSchema, load };
}

function parseToml(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (cause) {
    throw manifestErrors.malformed(file, cause);
  }
}

/** A native plugin may say which ABI it has, any other which protocol it speaks. Both are looked at again when it opens. */
function checkCompatibility(compat: Table, kind: PluginKind, file: string): void {
  const range = compat.text("troupe", rules.range);
  if (kind === "native") compat.optionalNumber("native_abi", NATIVE_ABIS);
  else compat.optionalNumber("plugin_protocol", PLUGIN_VERSIONS);
  compat.end();
  if (!semver.satisfies(TROUPE_VERSION, range))
    throw manifestErrors.incompatible(file, range, TROUPE_VERSION);
}
