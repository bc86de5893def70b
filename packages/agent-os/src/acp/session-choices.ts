/**
 * Session choices: the mode and the options that somebody has set for a session. An agent that begins anew knows nothing of them: they are set again
 * before its first prompt, or whoever has put it into a mode that only reads would find it in another.
 */
import { methods, type NewSessionResponse } from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import type { AgentLink } from "./agent-link.ts";

/** What can be chosen of an agent's session, as ACP has it. */
export interface SessionConfig {
  readonly modes: NewSessionResponse["modes"];
  readonly configOptions: NewSessionResponse["configOptions"];
}

/** What has been chosen. */
export interface SessionChoices {
  readonly mode?: string;
  readonly options?: Readonly<Record<string, string | boolean>>;
}

/** An agent's session. */
export interface AgentSession {
  readonly link: AgentLink;
  readonly sessionId: string;
}

/** Rejects with `agent.refused` when the agent has no such mode. */
export async function chooseMode(
  { link, sessionId }: AgentSession,
  config: SessionConfig,
  modeId: string,
): Promise<SessionConfig> {
  const { setMode } = methods.agent.session;
  await link.request(setMode, (agent) => agent.request(setMode, { sessionId, modeId }));
  return withMode(config, modeId);
}

/** Rejects with `agent.refused` when the agent has no such option, or it can't have the value. */
export async function chooseOption(
  { link, sessionId }: AgentSession,
  config: SessionConfig,
  configId: string,
  value: string | boolean,
): Promise<SessionConfig> {
  const { setConfigOption } = methods.agent.session;
  const chosen = typeof value === "boolean" ? ({ type: "boolean", value } as const) : { value };
  const { configOptions } = await link.request(setConfigOption, (agent) =>
    agent.request(setConfigOption, { sessionId, configId, ...chosen }),
  );
  return { ...config, configOptions };
}

/** All of it again, with what the agent refuses now. Rejects when the agent is gone. */
export async function chooseAgain(
  session: AgentSession,
  config: SessionConfig,
  { mode, options = {} }: SessionChoices,
): Promise<{ readonly config: SessionConfig; readonly refused: readonly string[] }> {
  let now = config;
  const refused: string[] = [];
  const attempt = async (name: string, chosen: () => Promise<SessionConfig>): Promise<void> => {
    try {
      now = await chosen();
    } catch (cause) {
      if (!TroupeError.is(cause) || cause.code !== "refused") throw cause;
      refused.push(name);
    }
  };
  // A mode may bring options of its own.
  if (mode !== undefined) await attempt("mode", () => chooseMode(session, now, mode));
  for (const [id, value] of Object.entries(options))
    await attempt(id, () => chooseOption(session, now, id, value));
  return { config: now, refused };
}

/** The mode is this one now. */
export function withMode(config: SessionConfig, currentModeId: string): SessionConfig {
  return config.modes == null ? config : { ...config, modes: { ...config.modes, currentModeId } };
}
