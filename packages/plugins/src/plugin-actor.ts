/**
 * `pluginActor({ plugin })`, `pluginActor({ library })`, `pluginActor({ wasm })`: actors whose code a plugin brings, a native
 * library or a module of WebAssembly, for `setup({ use })`.
 */
import { fileURLToPath } from "node:url";
import { limits } from "@troupe/protocol";
import { type CarriedDefinition, carriedActorFrom, type PluginSet } from "@troupe/runtime";
import { NamedActorCarriers } from "./activation/named-actors.ts";
import { isReference, type PluginReference } from "./activation/named-plugin.ts";
import type { ModuleDescription, WorkerDescription } from "./activation/plugin-source.ts";
import type { OpenCarrier } from "./carrier.ts";
import { nativeErrors } from "./carriers/native/errors.ts";
import { nativeCarrier } from "./carriers/native/native-carrier.ts";
import { wasmCarrier } from "./carriers/wasm/wasm-carrier.ts";
import { actorOfCode, checkTerms, configOf, type PluginActorTerms } from "./code-actor.ts";
import type { Startup } from "./manifest/manifest.ts";
import { pluginSet } from "./plugin-set.ts";

/** What `pluginActor` takes: where the code is, and what every actor of a plugin may say. */
export type PluginActorOptions = (NamedPlugin | LibraryCode | WasmCode) & PluginActorTerms;

/** A plugin that has a manifest, or is described in code. */
export interface NamedPlugin {
  /**
   * Its id: one of the registry's own plugins, or one that is installed and enabled. Or where it is: a path or `file:` URL of
   * its folder or manifest. Or what `pluginSet` takes.
   */
  readonly plugin: PluginReference;
  /**
   * `optional`: the program starts without it where it can't be found, read or started, and its callers hear why. Default: as its
   * manifest says; one that can't be read is required. One of the registry's own is as that one is.
   */
  readonly startup?: Startup;
  readonly library?: never;
  readonly wasm?: never;
}

/** Code that is a shared library. */
export interface LibraryCode {
  /** The shared library: a path, or a `file:` URL. It runs in this process: load only what you trust. */
  readonly library: string | URL;
  /** The code's SHA-256, hexadecimal: other bytes aren't run. Default: any. */
  readonly sha256?: string;
  readonly wasm?: never;
  readonly plugin?: never;
}

/** Code that is a module of WebAssembly. */
export interface WasmCode {
  /** The module: a path, or a `file:` URL. It runs in a thread of its own, and has nothing but its memory. */
  readonly wasm: string | URL;
  /** The code's SHA-256, hexadecimal: other bytes aren't run. Default: any. */
  readonly sha256?: string;
  readonly library?: never;
  readonly plugin?: never;
}

/**
 * Defines an actor that a plugin brings.
 *
 * ```ts
 * const registry = setup({
 *   use: {
 *     counter: pluginActor({ plugin: "acme", actor: "counter", options: { sleepTimeout: 5_000 } }),
 *     gauge: pluginActor({ library: "./libgauge.so" }),
 *   },
 * });
 * ```
 *
 * The definition is frozen, and so is what it was made from: nothing outside can exchange what runs. A plugin that is named
 * by its id, and is one of the registry's own (`setup({ plugins })`), runs once for all that name it. Any other that may have
 * middleware runs beside those, from the start on, also once for all that name it, and a registry without a relay gets one; what is
 * left is opened when the first actor is needed, once for each definition. All end with the registry, which doesn't start without one that
 * can't be read, unless `startup` says so. Where its code runs is what its
 * manifest and its user's trust say, as with `pluginSet`. While its process is started again calls fail with
 * `plugin.restarting` and what ended it.
 *
 * A bare library is loaded into this process, and a crash of it is a crash of this process; one of a module of WebAssembly
 * ends its thread, and the next call has a new one.
 *
 * Throws `plugin.bad_option`, `config.invalid_option`, `config.unknown_option`, `config.option_of_code`, `value.*`; the first
 * call of an actor fails with what is wrong with the plugin.
 */
export function pluginActor(options: PluginActorOptions): CarriedDefinition {
  if (typeof options !== "object" || options === null) throw nativeErrors.badOption("it takes an object");
  if (options.plugin === undefined) return codeActor(options);
  if (options.library !== undefined || options.wasm !== undefined)
    throw nativeErrors.badOption("`plugin` and code of its own can't stand together");
  return namedActor(options);
}

function namedActor(given: NamedPlugin & PluginActorTerms): CarriedDefinition {
  checkTerms(given, ["plugin", "startup"]);
  const { plugin, startup, actor, needs, options, sqlTimeLimitMs = limits.sqlStatementMs } = given;
  if (!isReference(plugin))
    throw nativeErrors.badOption("`plugin` must be an id, a path, a file: URL or a description");
  if (isDescription(plugin) && !["worker", "module"].includes(plugin.kind))
    throw nativeErrors.badOption(
      'a `plugin` that is described says its `kind`, "worker" or "module"; any other is named by its manifest',
    );
  if (startup !== undefined && startup !== "optional" && startup !== "required")
    throw nativeErrors.badOption('`startup` must be "required" or "optional"');
  const config = given.config === undefined ? undefined : structuredClone(given.config);
  const newSet = (): PluginSet => pluginSet({ plugins: [] });
  const names = Object.freeze({ plugin: kept(plugin), config, startup, newSet });
  return carriedActorFrom((request) => new NamedActorCarriers(request, { naming: names, actor }), {
    ...{ needs, options, sqlTimeLimitMs, names },
  });
}

function codeActor(given: (LibraryCode | WasmCode) & PluginActorTerms): CarriedDefinition {
  checkTerms(given, ["library", "wasm", "sha256"]);
  const config = configOf(given);
  const open = carrierOf(given, config);
  const native = given.wasm === undefined;
  return actorOfCode(given, { open, config, native });
}

function carrierOf(
  { library, wasm, sha256 }: LibraryCode | WasmCode,
  config: Uint8Array | undefined,
): OpenCarrier {
  if (library !== undefined && wasm !== undefined)
    throw nativeErrors.badOption("`library` and `wasm` can't stand together");
  if (sha256 !== undefined && !(typeof sha256 === "string" && /^[0-9a-f]{64}$/i.test(sha256)))
    throw nativeErrors.badOption("`sha256` must be 64 hexadecimal digits");
  const terms = { ...(sha256 && { sha256 }), ...(config && { config }) };
  if (wasm !== undefined) return wasmCarrier({ wasm: pathOf("wasm", wasm), ...terms });
  return nativeCarrier({ library: pathOf("library", library), ...terms });
}

/** What it is now: nothing outside changes what was meant. */
function kept(plugin: PluginReference): PluginReference {
  if (typeof plugin === "string") return plugin;
  return plugin instanceof URL ? fileURLToPath(plugin) : Object.freeze({ ...plugin });
}

function isDescription(plugin: PluginReference): plugin is WorkerDescription | ModuleDescription {
  return typeof plugin === "object" && !(plugin instanceof URL) && !("manifest" in plugin);
}

function pathOf(option: "library" | "wasm", code: string | URL | undefined): string {
  if (code instanceof URL && code.protocol === "file:") return fileURLToPath(code);
  if (typeof code === "string" && code !== "") return code;
  throw nativeErrors.badOption(`\`${option}\` must be a path or a file: URL`);
}
