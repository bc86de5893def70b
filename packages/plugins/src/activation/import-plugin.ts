/**
 * Imports a module plugin into this process: the checked bytes, and anew when they are others than before. Without digests
 * nothing says whether they are, and it is imported anew each time.
 */
import { randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";
import { checkModules } from "../carriers/module/checked-modules.ts";
import { tagModules } from "../carriers/module/new-modules.ts";
import { activationErrors } from "../errors.ts";
import { checkFile, digestOf } from "../manifest/checked-file.ts";
import { digestsOf, entryOf } from "../manifest/load.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import type { WorkerPlugin } from "../worker/worker-plugin.ts";

/** The plugin: the module's default export. Throws `plugin.file_*`, `plugin.integrity_mismatch`, `plugin.module_failed`, `plugin.not_a_plugin`. */
export async function importPlugin(manifest: PluginManifest): Promise<WorkerPlugin> {
  const { id, origin, load } = manifest;
  const { path } = await checkFile({ origin, ...entryOf(load), sha256: load.sha256 });
  const exported = await importChecked(manifest, path).catch((cause: unknown) => {
    throw activationErrors.moduleFailed(id, path, cause);
  });
  if (!isPlugin(exported)) throw activationErrors.notAPlugin(id, path);
  return exported;
}

async function importChecked({ origin, load }: PluginManifest, path: string): Promise<unknown> {
  const digests = digestsOf(load);
  const tag = digests.size === 0 ? randomUUID() : digestOf(JSON.stringify([...digests])).slice(0, 16);
  const { folder } = origin;
  const hooks =
    digests.size === 0
      ? tagModules(folder, tag)
      : checkModules({ manifest: origin.file, folder, digests, tag });
  try {
    return defaultOf(await import(`${pathToFileURL(path).href}?troupe=${tag}`));
  } finally {
    hooks.deregister();
  }
}

function defaultOf(module: { readonly default?: unknown }): unknown {
  return module.default;
}

function isPlugin(value: unknown): value is WorkerPlugin {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    (!("middleware" in value) || value.middleware === undefined || Array.isArray(value.middleware)) &&
    (!("actors" in value) || value.actors === undefined || typeof value.actors === "object")
  );
}
