/**
 * `troupe plugins add | enable | disable | remove | pin`: commands that change a list. A dry run does all of it but the change.
 */
import { resolve } from "node:path";
import { readBounded } from "@troupe/plugins/bounded-file";
import {
  addInstalled,
  decide,
  findInstalled,
  type InstalledPlugin,
  inspectPlugin,
  type Pins,
  type PluginInspection,
  readInstalled,
  readManifest,
  readPolicy,
  removeInstalled,
  sourceOf,
  takePins,
} from "@troupe/plugins/installed";
import type { ScopeName } from "@troupe/plugins/scopes";
import { limits } from "@troupe/protocol";
import { pluginOptionErrors } from "./errors.ts";
import { describeGets, getsOf } from "./gets.ts";
import { manifestPath } from "./manifest-path.ts";
import { type CommonFlags, type PluginTerminal, Voice } from "./terminal.ts";

/** Flags of `enable`. */
export interface EnableFlags extends CommonFlags {
  /** Its code may run in the host's process. */
  readonly trust?: boolean;
  /** A JSON file. */
  readonly config?: string;
}

/** Adds a plugin, disabled. Throws what is wrong with it. */
export async function addPlugin(path: string, flags: CommonFlags, terminal: PluginTerminal): Promise<void> {
  const voice = new Voice(flags, terminal);
  const scope: ScopeName = voice.scope ?? "user";
  const manifest = await manifestPath(voice.cwd, path);
  const policy = await readPolicy(voice.scopes);
  const { problem, id = "", version } = await inspectPlugin({ manifest, trusted: true }, policy);
  // What it is configured with is said when it is enabled.
  if (problem !== undefined && problem.code !== "config_invalid") throw problem;
  if (!voice.dryRun) await addInstalled(voice.scopes, scope, { id, manifest });
  voice.say({ added: { id, version, scope, manifest } }, [
    `Added ${id} ${version} to the ${scope} scope. It is disabled: troupe plugins enable ${id}`,
  ]);
}

/** Enables a plugin. Throws what keeps it from running. */
export async function enablePlugin(id: string, flags: EnableFlags, terminal: PluginTerminal): Promise<void> {
  const voice = new Voice(flags, terminal);
  const before = findInstalled(await readInstalled(voice.scopes), id, voice.scope);
  const config = flags.config === undefined ? before.config : await readConfig(voice.cwd, flags.config);
  const trusted = flags.trust ?? before.trusted;
  // Trust is in what somebody has looked at, and that is pinned.
  const pins = before.pins ?? (trusted ? await pinsOf(voice, before) : undefined);
  const decision = {
    enabled: true,
    trusted,
    ...(config !== undefined && { config }),
    ...(pins !== undefined && { pins }),
  };
  const source = sourceOf({ ...before, ...decision });
  const found = await inspectPlugin(source, await readPolicy(voice.scopes));
  const { problem, runsIn } = found;
  if (problem !== undefined) throw problem;
  const gets = getsOf(found);
  if (!voice.dryRun) await decide(voice.scopes, before, decision);
  const { scope } = before;
  voice.say({ enabled: { id, scope, trusted, pinned: pins !== undefined, runsIn, gets } }, [
    `Enabled ${id}. It runs in ${runsIn} from the next start or reload on.`,
    ...(gets === null ? [] : [`It gets ${describeGets(gets)}.`]),
    ...(flags.trust === true && runsIn !== "this process"
      ? [`--trust changes nothing here but the pins: ${whyOutside(found)}.`]
      : []),
    ...(before.shadowed ? [`The user's scope has another ${id}, and that is the one that runs.`] : []),
  ]);
}

/** Disables a plugin. It keeps its configuration and pins; trust is given anew. */
export async function disablePlugin(id: string, flags: CommonFlags, terminal: PluginTerminal): Promise<void> {
  const voice = new Voice(flags, terminal);
  const plugin = findInstalled(await readInstalled(voice.scopes), id, voice.scope);
  if (!voice.dryRun) await decide(voice.scopes, plugin, { enabled: false, trusted: false });
  voice.say({ disabled: { id, scope: plugin.scope } }, [`Disabled ${id}.`]);
}

/** Takes a plugin off its list. */
export async function removePlugin(id: string, flags: CommonFlags, terminal: PluginTerminal): Promise<void> {
  const voice = new Voice(flags, terminal);
  const { scope, manifest } = findInstalled(await readInstalled(voice.scopes), id, voice.scope);
  if (!voice.dryRun) await removeInstalled(voice.scopes, { id, scope });
  voice.say({ removed: { id, scope, manifest } }, [
    `Removed ${id} from the ${scope} scope. Its files are still there: ${manifest}`,
  ]);
}

/** Takes digests of a plugin as it is now. */
export async function pinPlugin(id: string, flags: CommonFlags, terminal: PluginTerminal): Promise<void> {
  const voice = new Voice(flags, terminal);
  const plugin = findInstalled(await readInstalled(voice.scopes), id, voice.scope);
  const pins = await pinsOf(voice, plugin);
  if (!voice.dryRun) await decide(voice.scopes, plugin, { pins });
  voice.say({ pinned: { id, scope: plugin.scope, pins } }, [
    `Pinned ${id}: its manifest and ${count(Object.keys(pins.files).length)}. Anything else is refused from now on.`,
    ...Object.entries(pins.files).map(([path, sha256]) => `  ${sha256}  ${path}`),
  ]);
}

/** Why a plugin that is trusted runs in no process of the host's all the same. */
function whyOutside({ manifest }: PluginInspection): string {
  const load = manifest?.load;
  if (load?.kind !== "native") return `a plugin of the kind ${load?.kind} never runs in the host's process`;
  if (load.isolation !== "in_process")
    return "its manifest doesn't wish for the host's process (isolation = \"in_process\")";
  return "another library stands in for the one that its manifest names";
}

async function pinsOf({ scopes }: Voice, { manifest }: InstalledPlugin): Promise<Pins> {
  const read = await readManifest(manifest, await readPolicy(scopes));
  return await takePins(read.manifest, read.bytes);
}

async function readConfig(cwd: string, path: string): Promise<unknown> {
  const file = resolve(cwd, path);
  const limitBytes = limits.pluginStateBytes;
  const tooLarge = (): Error => new RangeError(`it is larger than ${limitBytes} bytes`);
  const text = await readBounded(file, { limitBytes, tooLarge }).catch((cause: Error) => {
    throw pluginOptionErrors.badConfig(path, cause.message, cause);
  });
  try {
    return JSON.parse(text.toString());
  } catch (cause) {
    throw pluginOptionErrors.badConfig(path, "it isn't JSON", cause);
  }
}

function count(files: number): string {
  return files === 1 ? "1 file" : `${files} files`;
}
