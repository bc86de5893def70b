/** `troupe plugins list | inspect | validate | verify`: commands that read, and nothing else. */
import { resolve } from "node:path";
import { TroupeError } from "@troupe/base";
import {
  findInstalled,
  type InstalledPlugin,
  inspectPlugin,
  type PluginInspection,
  readInstalled,
  readManifest,
  readPolicy,
  sourceOf,
} from "@troupe/plugins/installed";
import { describeGets, getsOf } from "./gets.ts";
import { installedByName, manifestPath } from "./manifest-path.ts";
import { aligned } from "./table.ts";
import { type CommonFlags, type PluginTerminal, Voice } from "./terminal.ts";
import { type PluginView, stateOf, view, viewOf } from "./view.ts";

/** Lists the plugins of both scopes. */
export async function listPlugins(flags: CommonFlags, terminal: PluginTerminal): Promise<void> {
  const voice = new Voice(flags, terminal);
  const policy = await readPolicy(voice.scopes);
  const installed = await readInstalled(voice.scopes);
  const wanted = installed.filter(({ scope }) => voice.scope === undefined || scope === voice.scope);
  const plugins = await Promise.all(wanted.map((plugin) => viewOf(plugin, policy)));
  voice.say({ plugins }, plugins.length === 0 ? noPlugins : tableOf(plugins));
}

const noPlugins = ["No plugins. Add one with: troupe plugins add <folder>"];

function tableOf(plugins: readonly PluginView[]): readonly string[] {
  const rows = plugins.map((plugin) => [
    plugin.id,
    plugin.version ?? "-",
    plugin.kind ?? "-",
    plugin.scope ?? "-",
    stateOf(plugin),
  ]);
  const problems = plugins.flatMap(({ id, problem }) =>
    problem === null ? [] : [about(id, problem.message)],
  );
  return [
    ...aligned([["ID", "VERSION", "KIND", "SCOPE", "STATE"], ...rows]),
    ...(problems.length === 0 ? [] : ["", ...problems]),
  ];
}

/** Says all that is known of a plugin. Fails where there is none. */
export async function inspectOne(name: string, flags: CommonFlags, terminal: PluginTerminal): Promise<void> {
  const voice = new Voice(flags, terminal);
  const { plugin, found } = await lookAt(voice, name);
  const shown = view(plugin, found);
  const files = Object.fromEntries(found.manifest?.load.files ?? []);
  voice.say({ plugin: { ...shown, config: plugin?.config ?? null, pins: plugin?.pins ?? null, files } }, [
    ...aligned([
      ["Plugin", `${shown.id} ${shown.version ?? ""}`.trim()],
      ["Name", shown.name ?? "unknown"],
      ["Manifest", shown.manifest],
      ["Scope", shown.scope ?? "not added"],
      ["Kind", shown.kind ?? "unknown"],
      ["Startup", shown.startup ?? "unknown"],
      ["May declare", shown.capabilities.join(", ") || "nothing"],
      ["State", stateOf(shown)],
      ["Trusted", shown.trusted ? "yes: its code may run in the host's process" : "no"],
      ["Pinned", shown.pinned ? "yes" : "no"],
      ["Configured", plugin?.config === undefined ? "no" : "yes (--json shows it)"],
      ["Runs in", shown.runsIn ?? "nothing: it can't run"],
      ["Runs", shown.file ?? "-"],
      ["Gets", shown.gets === null ? "unknown" : describeGets(shown.gets)],
    ]),
    ...(shown.problem === null ? [] : ["", `${shown.problem.message} [${shown.problem.code}]`]),
  ]);
  if (found.manifest === undefined) voice.fail();
}

/** Says whether a manifest and the files that it names are right. Fails when they aren't. */
export async function validatePlugin(
  name: string,
  flags: CommonFlags,
  terminal: PluginTerminal,
): Promise<void> {
  const voice = new Voice(flags, terminal);
  const installed = installedByName(voice, await readInstalled(voice.scopes), name);
  const manifest = installed?.manifest ?? (await manifestPath(voice.cwd, name));
  // Whether it is trusted, and what it is configured with, is no question of its being right.
  const found = await inspectPlugin({ manifest, trusted: true, config: installed?.config });
  const onlyConfig = installed === undefined && found.problem?.code === "config_invalid";
  const problem = onlyConfig ? null : view(installed, found).problem;
  const valid = problem === null;
  const refused = valid ? await refusalOf(voice, manifest) : null;
  const gets = getsOf(found, installed?.trusted ?? false);
  voice.say(
    { valid, id: found.id ?? null, version: found.version ?? null, manifest, gets, problem, refused },
    valid
      ? [
          `${found.id} ${found.version} is valid: ${resolve(voice.cwd, manifest)}`,
          ...(refused === null ? [] : [`It isn't taken here: ${refused.message} [${refused.code}]`]),
          ...(gets === null ? [] : [`It gets ${describeGets(gets)}.`]),
        ]
      : [`Not valid: ${problem.message} [${problem.code}]`],
  );
  if (!valid) voice.fail();
}

/** Why this user's policy takes no such plugin; null: it does. */
async function refusalOf({ scopes }: Voice, manifest: string): Promise<PluginView["problem"]> {
  return await readManifest(manifest, await readPolicy(scopes)).then(
    () => null,
    (cause: unknown) => {
      if (!TroupeError.is(cause)) throw cause;
      return { code: `${cause.group}.${cause.code}`, message: cause.message };
    },
  );
}

/** Compares plugins with their digests, pins and signatures. Fails when one isn't what it was. */
export async function verifyPlugins(
  name: string | undefined,
  flags: CommonFlags,
  terminal: PluginTerminal,
): Promise<void> {
  const voice = new Voice(flags, terminal);
  const installed = await readInstalled(voice.scopes);
  const wanted = name === undefined ? installed : [findInstalled(installed, name, voice.scope)];
  const plugins = await Promise.all(wanted.map((plugin) => verify(voice, plugin)));
  const lines = plugins.map(({ id, signature, compared, problem }) =>
    problem === null
      ? `${id}: ${ways[compared ?? "nothing"]}${signature === "signed" ? ", and signed" : ""}`
      : `${about(id, problem.message)} [${problem.code}]`,
  );
  voice.say({ plugins }, lines.length === 0 ? noPlugins : lines);
  if (plugins.some(({ problem }) => problem !== null)) voice.fail();
}

async function verify({ scopes }: Voice, plugin: InstalledPlugin) {
  const policy = await readPolicy(scopes);
  const found = await inspectPlugin({ ...sourceOf(plugin), trusted: true }, policy);
  const { id, pinned, problem, manifest } = view(plugin, found);
  const signature =
    problem === null ? (await readManifest(plugin.manifest, policy)).signature : "not_checked";
  const compared = comparedWith(plugin, found);
  return { id, scope: plugin.scope, manifest, pinned, compared, signature, problem };
}

/** What was compared, for people. */
const ways = {
  pins: "as it was pinned",
  digests: "as its manifest's digests say (not pinned)",
  nothing: "nothing to compare it with: it is not pinned, and its manifest has no digests",
} as const;

/** With what a plugin's files were compared; null: with nothing. */
function comparedWith(plugin: InstalledPlugin, { manifest }: PluginInspection): "pins" | "digests" | null {
  if (plugin.pins !== undefined) return "pins";
  return manifest?.load.sha256 === undefined ? null : "digests";
}

/** A message about a plugin, with its id in front, once. */
function about(id: string, message: string): string {
  return message.startsWith(`Plugin ${id}`) ? message : `${id}: ${message}`;
}

async function lookAt(voice: Voice, name: string) {
  const policy = await readPolicy(voice.scopes);
  const plugin = installedByName(voice, await readInstalled(voice.scopes), name);
  const source = plugin === undefined ? { manifest: await manifestPath(voice.cwd, name) } : sourceOf(plugin);
  return { plugin, found: await inspectPlugin(source, policy) };
}
