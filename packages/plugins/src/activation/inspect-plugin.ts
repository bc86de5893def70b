/**
 * Inspecting: what activation would do with a plugin, found by reading alone. Nothing is written, loaded or started.
 */
import { TroupeError } from "@troupe/base";
import { checkSocketPlace } from "../carriers/worker/socket-place.ts";
import { checkFile } from "../manifest/checked-file.ts";
import { digestsOf, entryOf, type PluginKind } from "../manifest/load.ts";
import type { PluginManifest, Startup } from "../manifest/manifest.ts";
import { integrityOnly, type TrustPolicy } from "../manifest/signature.ts";
import { manifestOf, nameOf, type PluginSource } from "./plugin-source.ts";
import { preparePlugin, type RunsIn } from "./prepared-plugin.ts";

/** What was found. */
export interface PluginInspection {
  /** The manifest's path, or the id of a plugin described in code. */
  readonly source: string;
  /** Undefined when the manifest can't be read; so are those below. */
  readonly manifest: PluginManifest | undefined;
  readonly id: string | undefined;
  readonly version: string | undefined;
  readonly kind: PluginKind | undefined;
  readonly startup: Startup | undefined;
  /** Where its code would run. Undefined also where that is refused. */
  readonly runsIn: RunsIn | undefined;
  /** The file that would be run. */
  readonly file: string | undefined;
  /** Why it can't be activated; undefined: nothing speaks against it. */
  readonly problem: TroupeError | undefined;
}

/** Reads a plugin's manifest and checks the files that it names. Throws nothing: what is wrong is in the answer. */
export async function inspectPlugin(
  source: PluginSource,
  policy: TrustPolicy = integrityOnly,
): Promise<PluginInspection> {
  const name = nameOf(source);
  const manifest = await manifestOf(source, policy).catch(problemOf);
  if (TroupeError.is(manifest)) return { ...unread, source: name, problem: manifest };
  const { id, version, startup, load } = manifest;
  const found = { source: name, manifest, id, version, kind: load.kind, startup };
  try {
    const file = await checkFiles(manifest, source);
    const { runsIn } = await preparePlugin(manifest, source, policy);
    if (runsIn === "its own process") await checkSocketPlace(id);
    return { ...found, runsIn, file, problem: undefined };
  } catch (error) {
    return { ...found, runsIn: undefined, file: undefined, problem: problemOf(error) };
  }
}

const unread = {
  manifest: undefined,
  id: undefined,
  version: undefined,
  kind: undefined,
  startup: undefined,
  runsIn: undefined,
  file: undefined,
};

/** Every file that has a digest, and the one that is run; its path. */
async function checkFiles(
  { origin, load }: PluginManifest,
  source: PluginSource,
): Promise<string | undefined> {
  if ("plugin" in source) return undefined;
  const entry = entryOf(load);
  for (const [path, sha256] of digestsOf(load)) {
    const key = path === entry.path ? entry.key : `integrity.files."${path}"`;
    await checkFile({ origin, key, path, sha256 });
  }
  return (await checkFile({ origin, ...entry, sha256: undefined })).path;
}

function problemOf(thrown: unknown): TroupeError {
  if (TroupeError.is(thrown)) return thrown;
  throw thrown;
}
