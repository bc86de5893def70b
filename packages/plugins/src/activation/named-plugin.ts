/**
 * Named plugin: the one that somebody means who says its id, or where it is.
 *
 *   "acme"             the registry's own plugins (`setup({ plugins })`), then those that are installed and enabled
 *   "./acme", a URL    a folder with a manifest, or the manifest
 *   { … }              as for `pluginSet`
 */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { installedErrors } from "../installed/errors.ts";
import { enabledSources, findInstalled, readInstalled, sourceOf } from "../installed/installed-plugins.ts";
import { readPolicy } from "../installed/policy.ts";
import { findScopes } from "../installed/scopes.ts";
import { MANIFEST_NAME } from "../manifest/manifest.ts";
import { rules } from "../manifest/rules.ts";
import { integrityOnly, type TrustPolicy } from "../manifest/signature.ts";
import type { FoundPlugins, PluginSource } from "./plugin-source.ts";

/** A plugin's id, the path or `file:` URL of its folder or manifest, or what `pluginSet` takes. */
export type PluginReference = string | URL | PluginSource;

/** What a reference looks like, whatever it says. */
export function isReference(value: unknown): value is PluginReference {
  return typeof value === "string" ? value !== "" : typeof value === "object" && value !== null;
}

/** What was meant, and whose plugins are taken. */
export interface FoundPlugin {
  readonly source: PluginSource;
  readonly policy: TrustPolicy;
}

/** The id that a reference is; undefined: it says where the plugin is. */
export function idOf(reference: PluginReference): string | undefined {
  return typeof reference === "string" && rules.id.test(reference) ? reference : undefined;
}

/** Finds it, now. Throws `plugin.not_added`, `plugin.not_enabled`, `plugin.state_*`, `plugin.key_invalid`. */
export async function findPlugin(reference: PluginReference): Promise<FoundPlugin> {
  const id = idOf(reference);
  if (id !== undefined) return await installed(id);
  const source = typeof reference === "string" || reference instanceof URL ? at(reference) : reference;
  return { source, policy: integrityOnly };
}

/** As `troupe start` finds it: the user's lists, the user's decisions, the user's policy. */
async function installed(id: string): Promise<FoundPlugin> {
  const scopes = findScopes(process.cwd(), process.env);
  const found = findInstalled(await readInstalled(scopes), id);
  if (!found.enabled) throw installedErrors.notEnabled(id, found.scope);
  return { source: sourceOf(found), policy: await readPolicy(scopes) };
}

/**
 * The plugins that are installed and enabled, as `troupe start` has them: the user's and those of the project of the working
 * directory, under the user's policy. Throws `plugin.state_*`, `plugin.key_invalid`.
 *
 * ```ts
 * const registry = setup({ use, plugins: pluginSet({ plugins: installedPlugins }) });
 * ```
 */
export async function installedPlugins(): Promise<FoundPlugins> {
  const scopes = findScopes(process.cwd(), process.env);
  return { plugins: enabledSources(await readInstalled(scopes)), policy: await readPolicy(scopes) };
}

function at(reference: string | URL): PluginSource {
  const path = resolve(reference instanceof URL ? fileURLToPath(reference) : reference);
  return { manifest: path.endsWith(".toml") ? path : join(path, MANIFEST_NAME) };
}
