/**
 * Claude Code's settings for one run, as an argument: its hooks call the gateway, without a process for each event. Those of the
 * user's files are kept, as all their other settings are.
 */
import { readFileSync } from "node:fs";
import { runErrors } from "../errors.ts";

const FLAG = "--settings";

/** Events that are sent on: the first asks, the others are marks of the trace. */
const events = ["PreToolUse", "PostToolUseFailure", "SubagentStop", "PreCompact", "Stop"];

/** The arguments with our settings, and those that they had. Throws `run.settings_unreadable`. */
export function withClaudeSettings(args: readonly string[], url: string): readonly string[] {
  const at = args.findIndex((arg) => arg === FLAG || arg.startsWith(`${FLAG}=`));
  if (at === -1) return [FLAG, JSON.stringify(withHooks({}, url)), ...args];
  const inOne = args[at]?.startsWith(`${FLAG}=`) ?? false;
  const given = inOne ? args[at]?.slice(FLAG.length + 1) : args[at + 1];
  const settings = JSON.stringify(withHooks(read(given ?? "{}"), url));
  return [...args.slice(0, at), FLAG, settings, ...args.slice(at + (inOne ? 1 : 2))];
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

type Settings = Readonly<Record<string, unknown>>;

function record(value: unknown): Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
