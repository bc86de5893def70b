/**
 * `pluginActor({ library })`, `pluginActor({ wasm })`: an actor whose code is a native library or a module of WebAssembly,
 * for `setup({ use })`.
 */
import { fileURLToPath } from "node:url";
import { limits } from "@troupe/protocol";
import { encodePayload } from "@troupe/protocol/actor/v1";
import {
  type ActorCarrier,
  type CarriedDefinition,
  type CarriedNeed,
  type CarrierRequest,
  carriedActor,
} from "@troupe/runtime";
import type { OpenCarrier } from "./carrier.ts";
import { nativeErrors } from "./carriers/native/errors.ts";
import { nativeCarrier } from "./carriers/native/native-carrier.ts";
import { wasmCarrier } from "./carriers/wasm/wasm-carrier.ts";
import { openSession } from "./session/open-session.ts";
import { TROUPE_VERSION } from "./version.ts";

/** What `pluginActor` takes: a library or a module, and what both may say. */
export type PluginActorOptions = (LibraryCode | WasmCode) & PluginActorTerms;

/** Code that is a shared library. */
export interface LibraryCode {
  /** The shared library: a path, or a `file:` URL. It runs in this process: load only what you trust. */
  readonly library: string | URL;
  readonly wasm?: never;
}

/** Code that is a module of WebAssembly. */
export interface WasmCode {
  /** The module: a path, or a `file:` URL. It runs in a thread of its own, and has nothing but its memory. */
  readonly wasm: string | URL;
  readonly library?: never;
}

/** What a plugin's actor may say beside its code. */
export interface PluginActorTerms {
  /** The code's SHA-256, hexadecimal: other bytes aren't run. Default: any. */
  readonly sha256?: string;
  /** For the plugin: a value that JSON can hold. Default: none. */
  readonly config?: unknown;
  /** Which of the plugin's actors. Default: the only one. */
  readonly actor?: string;
  /** What it gets beside its own state and keys: calls to other actors, a database. Default: neither. */
  readonly needs?: readonly CarriedNeed[];
  /** Milliseconds of one text of SQL, 1 to 60,000: it is ended then, with `sql.timed_out`. Default 5,000. */
  readonly sqlTimeLimitMs?: number;
}

const known: ReadonlySet<string> = new Set([
  "library",
  "wasm",
  "sha256",
  "config",
  "actor",
  "needs",
  "sqlTimeLimitMs",
]);

/**
 * Defines an actor that a native library, or a module of WebAssembly, brings.
 *
 * ```ts
 * const registry = setup({ use: { counter: pluginActor({ library: "./libcounter.so" }) } });
 * ```
 *
 * The definition is frozen, and so is what it was made from: nothing outside can exchange what runs. The code is read
 * and loaded when the first actor is needed; what it does, and its options, are what it declares. A crash of a library
 * is a crash of this process; one of a module ends its thread, and the next call has a new one. Throws
 * `plugin.bad_option`, `config.invalid_option`, `value.*`; the first call of an actor fails with what is wrong with the code.
 */
export function pluginActor(options: PluginActorOptions): CarriedDefinition {
  const unknown = Object.keys(options).find((key) => !known.has(key));
  if (unknown !== undefined) throw nativeErrors.badOption(`there is no option "${unknown}"`);
  const config = options.config === undefined ? undefined : encodePayload(options.config, "json", "config");
  const open = carrierOf(options, config);
  const { actor, needs, sqlTimeLimitMs = limits.sqlStatementMs } = options;
  return carriedActor((request) => openPluginActor(request, { actor, open, config }), {
    needs,
    sqlTimeLimitMs,
  });
}

function carrierOf(options: PluginActorOptions, config: Uint8Array | undefined): OpenCarrier {
  const { library, wasm, sha256 } = options;
  if (library !== undefined && wasm !== undefined)
    throw nativeErrors.badOption("`library` and `wasm` can't stand together");
  const terms = { ...(sha256 && { sha256 }), ...(config && { config }) };
  if (wasm !== undefined) return wasmCarrier({ wasm: pathOf("wasm", wasm), ...terms });
  return nativeCarrier({ library: pathOf("library", library), ...terms });
}

async function openPluginActor(
  { env }: CarrierRequest,
  plugin: { actor: string | undefined; open: OpenCarrier; config: Uint8Array | undefined },
): Promise<ActorCarrier> {
  const { open, config } = plugin;
  const session = await openSession({ env, open, hostVersion: TROUPE_VERSION, ...(config && { config }) });
  try {
    return session.actor(plugin.actor ?? onlyOne([...session.declared.actors.keys()]));
  } catch (error) {
    await session.close();
    throw error;
  }
}

function onlyOne(actors: readonly string[]): string {
  const [first] = actors;
  if (first === undefined || actors.length > 1) throw nativeErrors.whichActor(actors);
  return first;
}

function pathOf(option: "library" | "wasm", code: string | URL | undefined): string {
  if (code instanceof URL && code.protocol === "file:") return fileURLToPath(code);
  if (typeof code === "string" && code !== "") return code;
  throw nativeErrors.badOption(`\`${option}\` must be a path or a file: URL`);
}
