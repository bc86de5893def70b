/** `TROUPE_PLUGIN_<ID>_LIBRARY`: the library that is being worked on, in place of the one that the manifest names. */
import { isAbsolute } from "node:path";
import type { Logger } from "@troupe/base";
import { signatureErrors } from "../errors.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import type { TrustPolicy } from "../manifest/signature.ts";

/** The name of a plugin's variable: `TROUPE_PLUGIN_NO_RM_LIBRARY`. */
export function overrideVariable(id: string): string {
  return `TROUPE_PLUGIN_${id.toUpperCase().replaceAll("-", "_")}_LIBRARY`;
}

/** The path that it names, if it is set. Throws `plugin.override_refused`. */
export function libraryOverride({ id }: PluginManifest, { signatures }: TrustPolicy): string | undefined {
  const variable = overrideVariable(id);
  const path = process.env[variable];
  if (path === undefined || path === "") return undefined;
  if (signatures === "signature_required") throw signatureErrors.overrideRefused(id, variable);
  if (!isAbsolute(path)) throw signatureErrors.overrideRelative(id, variable, path);
  return path;
}

/** Says that a plugin runs another library than its manifest's, where it does. */
export function warnOfOverride(log: Logger, plugin: string, override: string | undefined): void {
  if (override !== undefined) log.warn("a plugin's library was replaced", { plugin, override });
}
