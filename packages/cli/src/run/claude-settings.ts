/**
 * Claude Code's settings for one run: its hooks call the gateway, without a process for each event. Those of the user's files are kept,
 * as all their other settings are.
 *
 * They are a file, and the flag names it: who may call the gateway stands in them, and a command line can be read by everybody on
 * the machine.
 */

import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "@troupe/relay";
import { makeOwnedFolder, ownedFolderPlace } from "@troupe/runtime/process";
import { runErrors } from "../errors.ts";

const FLAG = "--settings";
const KIND = "troupe-claude";
const FILE = "settings.json";

/** Events that are sent on: the first asks, the others are marks of the trace. */
const events = ["PreToolUse", "PostToolUseFailure", "SubagentStop", "PreCompact", "Stop"];

type Settings = Readonly<Record<string, Json>>;

/** What one run of Claude Code is told. */
export interface ClaudeWords {
  readonly settings: Settings;
  /** Its arguments, with the settings at `path`. */
  readonly argsWith: (path: string) => readonly string[];
}

/** Our settings over those that `args` have already. Throws `run.settings_unreadable`. */
export function readClaudeSettings(args: readonly string[], url: string): ClaudeWords {
  const at = args.findIndex((arg) => arg === FLAG || arg.startsWith(`${FLAG}=`));
  if (at === -1) return { settings: withHooks({}, url), argsWith: (path) => [FLAG, path, ...args] };
  const inOne = args[at]?.startsWith(`${FLAG}=`) ?? false;
  const given = inOne ? args[at]?.slice(FLAG.length + 1) : args[at + 1];
  return {
    settings: withHooks(read(given ?? "{}"), url),
    argsWith: (path) => [...args.slice(0, at), FLAG, path, ...args.slice(at + (inOne ? 1 : 2))],
  };
}

/** The settings of one run, in a folder for this user alone. It goes with the run, or, where that is killed, with the next one. */
export class ClaudeSettingsFile implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(settings: Settings): Promise<ClaudeSettingsFile> {
    const file = new ClaudeSettingsFile(await makeOwnedFolder(KIND));
    try {
      await writeFile(file.path, JSON.stringify(settings, undefined, 2), { mode: 0o600 });
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
    return file;
  }

  get path(): string {
    return join(this.#folder, FILE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Where one would be, as far as that is known before it is made. */
export function claudeSettingsPlace(): string {
  return join(ownedFolderPlace(KIND), FILE);
}

function withHooks(settings: Settings, url: string): Settings {
  const hooks = record(settings["hooks"]);
  const ours = { hooks: [{ type: "http", url: `${url}/hooks/claude`, timeout: 60 }] };
  const all = events.map((event) => [event, [...list(hooks[event]), ours]]);
  // A project's or a user's file may send its calls elsewhere, or switch hooks off: an argument counts before both.
  const env = { ...record(settings["env"]), ANTHROPIC_BASE_URL: url };
  return { ...settings, env, disableAllHooks: false, hooks: { ...hooks, ...Object.fromEntries(all) } };
}

/** As the flag takes it: JSON, or a file of it. */
function read(given: string): Settings {
  try {
    return record(JSON.parse(given.trimStart().startsWith("{") ? given : readFileSync(given, "utf8")));
  } catch (cause) {
    throw runErrors.settingsUnreadable(given, cause);
  }
}

function record(value: Json | undefined): Settings {
  return isList(value) || typeof value !== "object" || value === null ? {} : value;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function list(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}
