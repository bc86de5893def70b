/**
 * `pluginActor({ library })`: an actor whose code is a native library, for `setup({ use })`.
 */
import { fileURLToPath } from "node:url";
import { encodePayload } from "@troupe/protocol/actor/v1";
import {
  type ActorCarrier,
  type CarriedDefinition,
  type CarriedNeed,
  type CarrierRequest,
  carriedActor,
} from "@troupe/runtime";
import { nativeErrors } from "./carriers/native/errors.ts";
import { nativeCarrier } from "./carriers/native/native-carrier.ts";
import { openSession } from "./session/open-session.ts";
import { TROUPE_VERSION } from "./version.ts";

/** What `pluginActor` takes. */
export interface PluginActorOptions {
  /** The shared library: a path, or a `file:` URL. It runs in this process: load only what you trust. */
  readonly library: string | URL;
  /** The library's SHA-256, hexadecimal: other bytes aren't loaded. Default: any. */
  readonly sha256?: string;
  /** For the plugin: a value that JSON can hold. Default: none. */
  readonly config?: unknown;
  /** Which of the plugin's actors. Default: the only one. */
  readonly actor?: string;
  /** What it gets beside its own state and keys: calls to other actors, a database. Default: neither. */
  readonly needs?: readonly CarriedNeed[];
}

const known: ReadonlySet<string> = new Set(["library", "sha256", "config", "actor", "needs"]);

/**
 * Defines an actor that a native library brings.
 *
 * ```ts
 * const registry = setup({ use: { counter: pluginActor({ library: "./libcounter.so" }) } });
 * ```
 *
 * The definition is frozen, and so is what it was made from: nothing outside can exchange what runs. The library is read
 * and loaded when the first actor is needed; what it does, and its options, are what it declares. A crash of the library
 * is a crash of this process. Throws `plugin.bad_option`, `config.invalid_option`, `value.*`; the first call of an actor fails with what is wrong
 * with the library.
 */
export function pluginActor(options: PluginActorOptions): CarriedDefinition {
  const unknown = Object.keys(options).find((key) => !known.has(key));
  if (unknown !== undefined) throw nativeErrors.badOption(`there is no option "${unknown}"`);
  const library = pathOf(options.library);
  const { sha256, actor, needs } = options;
  const config = options.config === undefined ? undefined : encodePayload(options.config, "json", "config");
  return carriedActor(
    (request) =>
      openPluginActor(request, {
        actor,
        library: { library, ...(sha256 && { sha256 }), ...(config && { config }) },
      }),
    { needs },
  );
}

async function openPluginActor(
  { env }: CarrierRequest,
  plugin: { actor: string | undefined; library: Parameters<typeof nativeCarrier>[0] },
): Promise<ActorCarrier> {
  const { config } = plugin.library;
  const open = nativeCarrier(plugin.library);
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

function pathOf(library: string | URL): string {
  if (library instanceof URL && library.protocol === "file:") return fileURLToPath(library);
  if (typeof library === "string" && library !== "") return library;
  throw nativeErrors.badOption("`library` must be a path or a file: URL");
}
