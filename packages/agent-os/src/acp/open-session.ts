/**
 * The way to a session with an agent: initialize, then the old session again if the agent knows how, else a new one.
 *
 * All of it together has one time. What an agent replays while it loads an old session is in the transcript already, and
 * not for the log: it is over when this settles.
 */
import {
  type InitializeResponse,
  methods,
  type NewSessionResponse,
  PROTOCOL_VERSION,
} from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import { agentErrors } from "../errors.ts";
import type { AgentLink } from "./agent-link.ts";

/** What is wanted of the agent. */
export interface SessionWish {
  readonly cwd: string;
  /** The agent's own id of the session that goes on. */
  readonly before: string | undefined;
  readonly timeoutMs: number;
}

/** What the agent gave. */
export interface OpenedSession {
  readonly agentSessionId: string;
  /** False when the agent began anew: it doesn't remember what was said before. */
  readonly resumed: boolean;
  readonly agentInfo: InitializeResponse["agentInfo"];
  readonly capabilities: NonNullable<InitializeResponse["agentCapabilities"]>;
}

/** Opens a session on a link. When it rejects the link has ended. */
export async function openSession(link: AgentLink, wish: SessionWish): Promise<OpenedSession> {
  const { timeoutMs } = wish;
  const late = setTimeout(() => {
    void link.close(agentErrors.startTimedOut({ timeoutMs, stderr: link.stderr, noise: link.noise }));
  }, timeoutMs);
  try {
    return await open(link, wish);
  } catch (cause) {
    await link.close(TroupeError.is(cause) ? cause : agentErrors.spawnFailed("the agent", cause));
    throw cause;
  } finally {
    clearTimeout(late);
  }
}

async function open(link: AgentLink, { cwd, before }: SessionWish): Promise<OpenedSession> {
  const { initialize, session } = methods.agent;
  const hello = await link.request(initialize, (agent) =>
    agent.request(initialize, {
      protocolVersion: PROTOCOL_VERSION,
      clientInfo: { name: "troupe", version: "1" },
      clientCapabilities: { fs: { readTextFile: true, writeTextFile: true }, terminal: true },
    }),
  );
  if (hello.protocolVersion !== PROTOCOL_VERSION)
    throw agentErrors.protocolVersion(hello.protocolVersion, PROTOCOL_VERSION);
  const capabilities = hello.agentCapabilities ?? {};
  const opened = { agentInfo: hello.agentInfo, capabilities };
  const place = { cwd, mcpServers: [] };
  if (before !== undefined && capabilities.sessionCapabilities?.resume != null) {
    await link.request(session.resume, (agent) =>
      agent.request(session.resume, { sessionId: before, ...place }),
    );
    return { ...opened, agentSessionId: before, resumed: true };
  }
  if (before !== undefined && capabilities.loadSession === true) {
    await link.request(session.load, (agent) => agent.request(session.load, { sessionId: before, ...place }));
    return { ...opened, agentSessionId: before, resumed: true };
  }
  const { sessionId } = await link.request<NewSessionResponse>(session.new, (agent) =>
    agent.request(session.new, place),
  );
  return { ...opened, agentSessionId: sessionId, resumed: false };
}
