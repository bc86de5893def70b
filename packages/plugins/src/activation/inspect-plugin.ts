/**
 * Inspecting: what activation would do with a plugin, found by reading alone. Nothing is written, loaded or started.
 */
import { TroupeError } from "@troupe/base";
import { checkFile } from "../manifest/checked-file.ts";
import type { PluginManifest, Startup } from "../manifest/manifest.ts";
import { manifestOf, nameOf, type PluginSource } from "./plugin-source.ts";

/** What was found. */
export interface PluginInspection {
  /** The manifest's path, or the id of a worker described in code. */
  readonly source: string;
  /** Undefined when the manifest can't be read. */
  readonly id: string | undefined;
  readonly version: string | undefined;
  readonly kind: "native" | "worker" | undefined;
  readonly startup: Startup | undefined;
  /** The file that would be run. */
  readonly file: string | undefined;
  /** Why it can't be activated; undefined: nothing speaks against it. */
  readonly problem: TroupeError | undefined;
}

/** Reads a plugin's manifest and checks the file that it names. Throws nothing: what is wrong is in the answer. */
export async function inspectPlugin(source: PluginSource): Promise<PluginInspection> {
  const none = { id: undefined, version: undefined, kind: undefined, startup: undefined, file: undefined };
  const name = nameOf(source);
  const manifest = await manifestOf(source).catch(problemOf);
  if (TroupeError.is(manifest)) return { source: name, ...none, problem: manifest };
  const { id, version, startup, load } = manifest;
  const checked = await checkLoad(manifest).catch(problemOf);
  const found = { source: name, id, version, kind: load.kind, startup };
  if (TroupeError.is(checked)) return { ...found, file: undefined, problem: checked };
  return { ...found, file: checked.path, problem: undefined };
}

function checkLoad({ origin, load }: PluginManifest) {
  const { sha256 } = load;
  if (load.kind === "native") return checkFile({ origin, key: "load.library", path: load.library, sha256 });
  return checkFile({ origin, key: "load.entrypoint", path: load.entrypoint, sha256 });
}

function problemOf(thrown: unknown): TroupeError {
  if (TroupeError.is(thrown)) return thrown;
  throw thrown;
}
