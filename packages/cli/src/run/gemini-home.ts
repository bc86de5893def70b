/**
 * Gemini's home: a folder for one run of Gemini CLI, in the place of `~/.gemini`. Everything in it is a link to the user's own but
 * the settings, which are the user's with a few of ours. It goes with the run, or, where that is killed, with the next one.
 *
 * Gemini CLI takes settings from files alone, and at its base URL's variable it would choose a way to log in that it then
 * refuses; the files of the system, which would do, must be root's.
 */

import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Json } from "@troupe/relay";
import { makeOwnedFolder, ownedFolderPlace } from "@troupe/runtime/process";
import { runErrors } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Settings = Readonly<Record<string, Json>>;

const FOLDER = ".gemini";
const SETTINGS = "settings.json";
const KIND = "troupe-gemini";

/** Ours is the last of a tool's hooks; its own limit is 60 s, in its milliseconds. */
const HOOK_TIMEOUT_MS = 60_000;

/** Where one would be, as far as that is known before it is made. */
export function geminiHomePlace(): string {
  return ownedFolderPlace(KIND);
}

/** Where the settings of the home at `path` are. */
export function geminiSettingsIn(path: string): string {
  return join(path, FOLDER, SETTINGS);
}

/** What is to be in one. */
export interface GeminiHomeContents {
  /** The user's own folder, which it leads to. */
  readonly users: string;
  readonly settings: Settings;
}

/**
 * Reads what is to be in a home, and makes nothing. `hook` is what to run before each tool. Throws `run.settings_unreadable`, and
 * `run.settings_conflict` where the project in `cwd` has settings, which count before a user's, that would lead past the gateway.
 */
export async function readGeminiHome(
  env: Environment,
  { hook, cwd }: { readonly hook: string; readonly cwd: string },
): Promise<GeminiHomeContents> {
  const projects = join(cwd, FOLDER, SETTINGS);
  const conflict = leadsPast(await settingsOf(projects));
  if (conflict !== undefined) throw runErrors.settingsConflict(projects, conflict);
  const users = join(env["GEMINI_CLI_HOME"] ?? env["HOME"] ?? homedir(), FOLDER);
  return { users, settings: withOurs(await settingsOf(join(users, SETTINGS)), hook) };
}

/** The folder of one run. */
export class GeminiHome implements AsyncDisposable {
  /** For `GEMINI_CLI_HOME`. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make({ users, settings }: GeminiHomeContents): Promise<GeminiHome> {
    const home = new GeminiHome(await makeOwnedFolder(KIND));
    try {
      await home.#fill(users, settings);
    } catch (error) {
      await home[Symbol.asyncDispose]();
      throw error;
    }
    return home;
  }

  async #fill(users: string, settings: Settings): Promise<void> {
    const folder = join(this.path, FOLDER);
    await mkdir(folder, { mode: 0o700 });
    const names = await readdir(users).catch(() => []);
    for (const name of names) if (name !== SETTINGS) await symlink(join(users, name), join(folder, name));
    await writeFile(geminiSettingsIn(this.path), JSON.stringify(settings, undefined, 2), { mode: 0o600 });
  }

  /** Removes the links and what is ours, and nothing that a link leads to. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** The key's way alone leads through the gateway: whoever is logged in otherwise is asked for a key, and nothing goes round. */
function withOurs(settings: Settings, hook: string): Settings {
  const security = record(settings["security"]);
  const hooks = record(settings["hooks"]);
  const before = hooks["BeforeTool"];
  const ours = { hooks: [{ type: "command", name: "troupe", command: hook, timeout: HOOK_TIMEOUT_MS }] };
  return {
    ...settings,
    security: { ...security, auth: { ...record(security["auth"]), selectedType: "gemini-api-key" } },
    hooksConfig: { ...record(settings["hooksConfig"]), enabled: true, disabled: [] },
    hooks: { ...hooks, BeforeTool: [...(isList(before) ? before : []), ours] },
  };
}

/** The key that would: another login, hooks that are off, or ours left out. */
function leadsPast(settings: Settings): string | undefined {
  const { enabled, disabled } = record(settings["hooksConfig"]);
  if (record(settings["security"])["auth"] !== undefined) return "security.auth";
  if (enabled === false) return "hooksConfig.enabled";
  return disabled === undefined ? undefined : "hooksConfig.disabled";
}

async function settingsOf(path: string): Promise<Settings> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return {};
  }
  try {
    return record(JSON.parse(withoutComments(text)));
  } catch (cause) {
    throw runErrors.settingsUnreadable(path, cause);
  }
}

/** Gemini CLI lets its users write comments. */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_all, quoted?: string) => quoted ?? "",
  );
}

function record(value: Json | undefined): Settings {
  return isList(value) || typeof value !== "object" || value === null ? {} : value;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
