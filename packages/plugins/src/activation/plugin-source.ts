/**
 * Plugin source: what a host is told to activate, and by whom it is trusted.
 *
 * A manifest is asked only of kinds that need one: a library is a file that something must describe. Workers and modules may
 * also be described in code.
 */
import { basename, dirname, resolve } from "node:path";
import { activationErrors } from "../errors.ts";
import type { PluginLoad, WorkerRuntime } from "../manifest/load.ts";
import type { PluginManifest, Startup } from "../manifest/manifest.ts";
import { applyPins, type Pins } from "../manifest/pins.ts";
import { readManifest } from "../manifest/read-manifest.ts";
import { allCapabilities, type Capability } from "../manifest/rules.ts";
import { integrityOnly, type TrustPolicy } from "../manifest/signature.ts";
import type { WorkerPlugin } from "../worker/worker-plugin.ts";

/** A plugin by its manifest, or one that is described in code. */
export type PluginSource = ManifestSource | WorkerDescription | ModuleDescription;

/** Plugins that were looked up. */
export interface FoundPlugins {
  readonly plugins: readonly PluginSource[];
  /** The policy under which they are taken. */
  readonly policy?: TrustPolicy;
  /** What another set of the same registry has: whoever names one of these means that one. Default: none. */
  readonly elsewhere?: readonly ReadPlugin[];
}

/** A plugin that was found, who is trusted for it, and what its manifest says. */
export interface ReadPlugin {
  readonly source: PluginSource;
  readonly policy: TrustPolicy;
  readonly manifest: PluginManifest;
}

/** What every source may say. */
export interface SourceOptions {
  /** The plugin's configuration: a value that JSON can hold. Default: none. */
  readonly config?: unknown;
}

/** A plugin by its manifest. */
export interface ManifestSource extends SourceOptions {
  /** The path of a `troupe-plugin.toml`. */
  readonly manifest: string;
  /** Its code may run in this process, if that is what its manifest wishes for. Default: false. */
  readonly trusted?: boolean;
  /** Digests that were taken of it: anything else is refused. Default: those of the manifest alone. */
  readonly pins?: Pins;
}

/** A plugin described in code. */
export interface Description extends SourceOptions {
  readonly id: string;
  /** Default: all that there are. */
  readonly capabilities?: readonly Capability[];
  /** Default: required. */
  readonly startup?: Startup;
}

/** A worker described in code. */
export interface WorkerDescription extends Description {
  readonly kind: "worker";
  readonly runtime: WorkerRuntime;
  /** Its path; one that isn't absolute is taken from where this program runs. */
  readonly entrypoint: string;
  readonly args?: readonly string[];
  /** Names of the host's environment variables that the process gets. */
  readonly env?: readonly string[];
}

/** A plugin that is part of this program. */
export interface ModuleDescription extends Description {
  readonly kind: "module";
  readonly plugin: WorkerPlugin;
}

/** The manifest of a source. Throws `plugin.manifest_*`, `plugin.incompatible`, `plugin.signature_*`, `plugin.pin_mismatch`. */
export async function manifestOf(
  source: PluginSource,
  policy: TrustPolicy = integrityOnly,
): Promise<PluginManifest> {
  if ("manifest" in source) {
    const { manifest, bytes } = await readManifest(source.manifest, policy);
    return source.pins === undefined ? manifest : applyPins(manifest, bytes, source.pins);
  }
  const { id, startup = "required", capabilities = allCapabilities } = source;
  const { folder, load } = described(source);
  const origin = { file: `the description of ${id}`, folder };
  return { origin, id, name: id, version: "0.0.0", capabilities, startup, configSchema: undefined, load };
}

/** What a person calls a source that can't be read. */
export function nameOf(source: PluginSource): string {
  return "manifest" in source ? source.manifest : source.id;
}

function described(source: WorkerDescription | ModuleDescription): {
  readonly folder: string;
  readonly load: PluginLoad;
} {
  const unchecked = { sha256: undefined, files: new Map<string, string>() };
  if (source.kind === "module")
    return { folder: "", load: { kind: "module", module: "its description", ...unchecked } };
  const { id, kind } = source;
  if (kind !== "worker") throw activationErrors.manifestNeeded(id, String(kind));
  const { runtime, entrypoint, args = [], env = [] } = source;
  return {
    folder: dirname(resolve(entrypoint)),
    load: { kind: "worker", runtime, entrypoint: basename(entrypoint), args, env, ...unchecked },
  };
}
