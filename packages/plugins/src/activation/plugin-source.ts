/**
 * Plugin source: what a host is told to activate.
 *
 * A manifest is asked only of kinds that need one: a native plugin runs in the host's own process, so a manifest pins the
 * library. A worker may also be described in code.
 */
import { basename, dirname } from "node:path";
import { activationErrors } from "../errors.ts";
import type { Capability, PluginManifest, Startup, WorkerRuntime } from "../manifest/manifest.ts";
import { readManifest } from "../manifest/read-manifest.ts";

/** A plugin by its manifest, or a worker that has none. */
export type PluginSource = { readonly manifest: string } | WorkerDescription;

/** A worker described in code. */
export interface WorkerDescription {
  readonly id: string;
  readonly kind: "worker";
  readonly runtime: WorkerRuntime;
  /** Absolute. */
  readonly entrypoint: string;
  readonly args?: readonly string[];
  /** Names of the host's environment variables that the process gets. */
  readonly env?: readonly string[];
  /** Default: middleware. */
  readonly capabilities?: readonly Capability[];
  /** Default: required. */
  readonly startup?: Startup;
}

/** The manifest of a source. Throws `plugin.manifest_*`, `plugin.incompatible`. */
export async function manifestOf(source: PluginSource): Promise<PluginManifest> {
  if ("manifest" in source) return await readManifest(source.manifest);
  const { id, kind, entrypoint } = source;
  if (kind !== "worker") throw activationErrors.manifestNeeded(id, String(kind));
  return {
    origin: { file: `the description of ${id}`, folder: dirname(entrypoint) },
    id,
    name: id,
    version: "0.0.0",
    capabilities: source.capabilities ?? ["middleware"],
    startup: source.startup ?? "required",
    load: {
      kind,
      runtime: source.runtime,
      entrypoint: basename(entrypoint),
      args: source.args ?? [],
      env: source.env ?? [],
      sha256: undefined,
    },
  };
}

/** What a person calls a source that can't be read. */
export function nameOf(source: PluginSource): string {
  return "manifest" in source ? source.manifest : source.id;
}
