/**
 * Codex's hook, as arguments of one run: what Codex runs before a tool.
 *
 * Codex runs no hook that its user hasn't trusted, and knows one by a digest of what it says. So ours comes with its own: the switch
 * that trusts all of them would trust those of a project too, which nobody has looked at. A Codex that makes the digest of something
 * else leaves our hook out, and the run says that nobody was asked.
 */
import { createHash } from "node:crypto";

/** Seconds; ours ends before. */
const TIMEOUT = 60;

/** Codex's name of the first hook of a command line that asks before a tool runs. */
const KEY = "/<session-flags>/config.toml:pre_tool_use:0:0";

/** `command`: for a shell; it may be read by everybody. */
export function codexHookArgs(command: string): readonly string[] {
  const hook = `{type="command",command=${JSON.stringify(command)},timeout=${TIMEOUT}}`;
  const state = `{${JSON.stringify(KEY)}={trusted_hash="${digestOf(command)}"}}`;
  return ["-c", `hooks.PreToolUse=[{hooks=[${hook}]}]`, "-c", `hooks.state=${state}`];
}

/** Of the hook as Codex writes it down: JSON, its keys in order. */
function digestOf(command: string): string {
  const hook = { async: false, command, timeout: TIMEOUT, type: "command" };
  const text = JSON.stringify({ event_name: "pre_tool_use", hooks: [hook] });
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
