/**
 * Session: what joins an agent's model calls, hooks and exported events. The launcher's name for it counts, where there is one, and the
 * agent's own stands beside it: what other tools know of the same run is found by that. A gateway of many agents has theirs alone.
 */
import { limits } from "@troupe/protocol";

/** Headers in which agents say it: ours for any of them, Claude Code's, OpenCode's and Codex's. */
const headers = [
  "x-troupe-session-id",
  "x-claude-code-session-id",
  "x-session-id",
  "session-id",
  "session_id",
];

/** The agent's own word; undefined: it said none that is one. */
export function agentSessionOf(
  said: Readonly<Record<string, string | readonly string[] | undefined>>,
): string | undefined {
  const values = headers.map((name) => said[name]);
  return values.find((value): value is string => typeof value === "string" && isSession(value));
}

/** True for text of a length that a trace should hold. */
export function isSession(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= limits.memberNameLength;
}

/** For the metadata of events. */
export function sessionMetadata(
  launchers: string | undefined,
  agents: string | undefined,
): Readonly<Record<string, string>> {
  const session = launchers ?? agents;
  return {
    ...(session === undefined ? {} : { session_id: session }),
    ...(launchers === undefined || agents === undefined ? {} : { agent_session_id: agents }),
  };
}
