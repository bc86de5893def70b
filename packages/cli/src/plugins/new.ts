/** `troupe plugins new`: a folder with a plugin that does something small and builds. */
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TROUPE_VERSION } from "@troupe/base";
import { pluginOptionErrors } from "./errors.ts";
import { type CommonFlags, type PluginTerminal, Voice } from "./terminal.ts";

/** Flags of `new`. */
export interface NewFlags extends CommonFlags {
  readonly lang: string;
  /** The folder that the plugin's folder is made in. Default: where the command runs. */
  readonly into?: string;
}

/** What is made for each language, beside its template. */
interface Language {
  /** The one whose SDK and template it has, apart from what its own template has. Default: itself. */
  readonly of?: string;
  /** Parts of the SDK that become the plugin's own, from `sdks/<language>` to `sdk`. */
  readonly sdk: readonly string[];
  /** What a person does first. */
  readonly build: readonly string[];
  /** It runs in the host's process, where whoever enables it says that it may. Default: false. */
  readonly trusted?: boolean;
  /** What stands before the command that starts a program with it; `__FOLDER__` is the plugin's. Default: nothing. */
  readonly start?: string;
}

const languages: Readonly<Record<string, Language>> = {
  module: { sdk: [], build: [], trusted: true },
  typescript: { of: "module", sdk: [], build: ["npm install"] },
  c: { sdk: ["include", "src"], build: ["make"] },
  "c-wasm": { of: "c", sdk: ["include", "src", "wasm"], build: ["make"] },
  isolate: { sdk: [], build: [] },
  rust: { sdk: ["troupe-plugin"], build: ["make"] },
  python: {
    sdk: ["troupe_plugin"],
    build: ["python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"],
    start: "TROUPE_PYTHON=__FOLDER__/.venv/bin/python ",
  },
};

/** Makes a plugin's folder. Throws `config.folder_exists` and what was typed wrong. */
export async function newPlugin(id: string, flags: NewFlags, terminal: PluginTerminal): Promise<void> {
  const voice = new Voice(flags, terminal);
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(id)) throw pluginOptionErrors.badName(id);
  const language = Object.hasOwn(languages, flags.lang) ? languages[flags.lang] : undefined;
  if (language === undefined) throw pluginOptionErrors.badLanguage(flags.lang, Object.keys(languages));
  const folder = resolve(voice.cwd, flags.into ?? ".", id);
  if (existsSync(folder)) throw pluginOptionErrors.folderExists(folder);
  const files = await planned(id, flags.lang, language);
  if (!voice.dryRun) await make(folder, files, { name: flags.lang, language });
  voice.say({ made: { id, language: flags.lang, folder, files: [...files.keys()] } }, [
    `Made ${folder}:`,
    ...[...files.keys()].map((file) => `  ${file}`),
    ...(language.sdk.length === 0 ? [] : ["  sdk/"]),
    "",
    ...nextSteps(id, folder, language),
  ]);
}

/** All that is left to do, up to the first call: each can be copied. */
function nextSteps(id: string, folder: string, { build, trusted = false, start = "" }: Language): string[] {
  const commands = [
    `cd ${folder}`,
    ...build,
    "troupe plugins validate .",
    "troupe plugins add .",
    `troupe plugins enable ${id}${trusted ? " --trust" : ""}`,
  ];
  const program = [
    'import { setup } from "troupe";',
    'import { pluginActor } from "troupe/plugins";',
    `export const registry = setup({ use: { counter: pluginActor({ plugin: "${id}" }) } });`,
  ];
  const calls = [
    `${start}troupe start server.mjs`,
    `curl -d '{"args":[1]}' 'http://127.0.0.1:6420/actor/counter/action/increment?key=a'`,
  ];
  const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
  return [
    "Next:",
    ...indented(commands),
    "",
    "A program names its actor, in a folder where troupe is installed (server.mjs):",
    ...indented(program),
    "",
    "It is started with all that the plugin brings, and called from another terminal:",
    ...indented(calls.map((line) => line.replace("__FOLDER__", folder))),
  ];
}

/** The files of a template, as they will be. */
async function planned(id: string, name: string, language: Language): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const template of new Set([language.of ?? name, name]))
    for (const [path, text] of await readTemplate(template)) files.set(path, filled(text, id));
  return new Map([...files].sort(([one], [other]) => one.localeCompare(other)));
}

async function readTemplate(name: string): Promise<Map<string, string>> {
  const template = fileURLToPath(new URL(`../../templates/${name}/`, import.meta.url));
  const files = new Map<string, string>();
  for (const entry of await readdir(template, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(template.length), await readFile(path, "utf8"));
  }
  return files;
}

function filled(text: string, id: string): string {
  const [major, minor] = TROUPE_VERSION.split(".");
  return text
    .replaceAll("__ID__", id)
    .replaceAll("__RANGE__", `^${major}.${minor}.0`)
    .replaceAll("__VARIABLE__", id.toUpperCase().replaceAll("-", "_"));
}

async function make(
  folder: string,
  files: ReadonlyMap<string, string>,
  { name, language }: { readonly name: string; readonly language: Language },
): Promise<void> {
  // Made by this command, or by nobody: somebody else's folder isn't written into.
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder);
  for (const part of language.sdk)
    await cp(join(sdkFolder(language.of ?? name), part), join(folder, "sdk", part), {
      recursive: true,
      filter: isSource,
    });
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content, { flag: "wx" });
  }
}

/** The SDK as it was published with this program; in a clone that runs from its sources, the repository's. */
function sdkFolder(name: string): string {
  const published = fileURLToPath(new URL(`../../dist/sdks/${name}`, import.meta.url));
  const ours = fileURLToPath(new URL(`../../../../sdks/${name}`, import.meta.url));
  const places = import.meta.url.endsWith(".ts") ? [ours, published] : [published];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw pluginOptionErrors.noSdk(name);
  return found;
}

function isSource(path: string): boolean {
  return !/(^|\/)(__pycache__|target)(\/|$)/.test(path);
}
