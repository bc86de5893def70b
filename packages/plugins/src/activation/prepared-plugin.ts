/**
 * Prepared plugin: everything about a plugin that can be known and refused before any of its code runs.
 *
 * Whether code runs in this process is decided here: a module and a library that wishes for it, both only where the host's
 * user trusts them, and a library only with a digest. Any other library runs in a process of its own, as an isolate does, and a
 * module of WebAssembly in a thread.
 *
 * A carrier's own code is loaded when a plugin is opened on it: most hosts have plugins of one kind, and who only looks has none.
 */
import { engineLimits, limits } from "@troupe/protocol";
import type { OpenCarrier } from "../carrier.ts";
import { isTypeScript } from "../dynamic/source.ts";
import { configurationErrors, signatureErrors } from "../errors.ts";
import { checkFile, readNamedFile } from "../manifest/checked-file.ts";
import { checkConfiguration } from "../manifest/config-schema.ts";
import {
  entryOf,
  type IsolateLoad,
  type NativeLoad,
  type WasmLoad,
  type WorkerLoad,
} from "../manifest/load.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import type { TrustPolicy } from "../manifest/signature.ts";
import type { SessionEnv } from "../session/session.ts";
import type { WorkerPlugin } from "../worker/worker-plugin.ts";
import { importPlugin } from "./import-plugin.ts";
import { libraryOverride } from "./library-override.ts";
import type { PluginSource } from "./plugin-source.ts";

/** Where a plugin's code runs. */
export type RunsIn = "this process" | "its own process" | "a thread";

/** A plugin that nothing speaks against so far. */
export interface PreparedPlugin {
  readonly manifest: PluginManifest;
  readonly open: (env: SessionEnv) => OpenCarrier;
  /** JSON text; undefined: none. */
  readonly config: Uint8Array | undefined;
  readonly runsIn: RunsIn;
  /** The library that is loaded in place of the manifest's. */
  readonly override: string | undefined;
}

/** Prepares a plugin. Throws `plugin.untrusted`, `plugin.config_*`, `plugin.override_refused`. */
export async function preparePlugin(
  manifest: PluginManifest,
  source: PluginSource,
  policy: TrustPolicy,
): Promise<PreparedPlugin> {
  await checkConfiguration(manifest, source.config);
  if (manifest.load.kind === "isolate" && source.config !== undefined)
    throw configurationErrors.takesNone(manifest.id);
  const config = source.config === undefined ? undefined : encodeConfig(source.config);
  const override = manifest.load.kind === "native" ? libraryOverride(manifest, policy) : undefined;
  return { manifest, config, override, ...howToRun(manifest, source, { config, override }) };
}

interface Chosen {
  readonly config: Uint8Array | undefined;
  readonly override: string | undefined;
}

function howToRun(
  manifest: PluginManifest,
  source: PluginSource,
  chosen: Chosen,
): Pick<PreparedPlugin, "open" | "runsIn"> {
  const { id, load } = manifest;
  const trusted = "manifest" in source && source.trusted === true;
  switch (load.kind) {
    case "module":
      if ("manifest" in source && !trusted) throw signatureErrors.untrusted(id, "a module");
      return { runsIn: "this process", open: () => moduleOf(manifest, source) };
    case "native":
      if (trusted && load.isolation === "in_process" && chosen.override === undefined && load.sha256)
        return { runsIn: "this process", open: () => libraryOf(manifest, load, chosen.config) };
      return { runsIn: "its own process", open: (env) => workerOf(manifest, load, env, chosen.override) };
    case "worker":
      return { runsIn: "its own process", open: (env) => workerOf(manifest, load, env) };
    case "isolate":
      return { runsIn: "its own process", open: (env) => isolateOf(manifest, load, env) };
    case "wasm":
      return { runsIn: "a thread", open: () => moduleOfWasm(manifest, load, chosen.config) };
  }
}

function workerOf(
  { id, origin }: PluginManifest,
  load: NativeLoad | WorkerLoad,
  env: SessionEnv,
  override?: string,
): OpenCarrier {
  return async (events) => {
    const { workerCarrier } = await import("../carriers/worker/worker-carrier.ts");
    return await workerCarrier({ plugin: id, env, origin, load, override })(events);
  };
}

/** The carrier compares the digest again, with the bytes that it loads: the name may mean another file by then. */
function libraryOf(
  { origin }: PluginManifest,
  load: NativeLoad,
  config: Uint8Array | undefined,
): OpenCarrier {
  return async (events) => {
    const { sha256 } = load;
    const { path } = await checkFile({ origin, ...entryOf(load), sha256 });
    const { nativeCarrier } = await import("../carriers/native/native-carrier.ts");
    return await nativeCarrier({ library: path, ...(sha256 && { sha256 }), ...(config && { config }) })(
      events,
    );
  };
}

/** The bytes that are compared are the ones that are run. */
function isolateOf({ id, origin }: PluginManifest, load: IsolateLoad, env: SessionEnv): OpenCarrier {
  const source = async (): Promise<Uint8Array> => {
    const named = { origin, ...entryOf(load), sha256: load.sha256 };
    return (await readNamedFile(named, limits.isolateSourceBytes)).bytes;
  };
  return async (events) => {
    const { isolatePlugin } = await import("../carriers/isolate/isolate-plugin.ts");
    return await isolatePlugin({ env, name: id, source, typescript: isTypeScript(load.module) })(events);
  };
}

/** The bytes that are compared are the ones that are compiled. */
function moduleOfWasm(
  { origin }: PluginManifest,
  load: WasmLoad,
  config: Uint8Array | undefined,
): OpenCarrier {
  const read = async (): Promise<Uint8Array> => {
    const named = { origin, ...entryOf(load), sha256: load.sha256 };
    return (await readNamedFile(named, engineLimits.wasmModuleBytes)).bytes;
  };
  return async (events) => {
    const { wasmCarrier } = await import("../carriers/wasm/wasm-carrier.ts");
    return await wasmCarrier({ wasm: read, ...(config && { config }) })(events);
  };
}

function moduleOf(manifest: PluginManifest, source: PluginSource): OpenCarrier {
  const plugin = async (): Promise<WorkerPlugin> =>
    "plugin" in source ? source.plugin : await importPlugin(manifest);
  return async (events) => {
    const { moduleCarrier } = await import("../carriers/module/module-carrier.ts");
    const { PluginSideSession } = await import("../worker/plugin-session.ts");
    return await moduleCarrier(async (send) => new PluginSideSession(await plugin(), send))(events);
  };
}

function encodeConfig(config: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(config));
}
