/**
 * The way to a session with an agent: initialize, then the old session again if the agent knows how, resumed or else loaded, else a
 * new one. An agent that refuses both after all gets a new one too, and the reasons are given.
 *
 * All of it together has one time. What an agent replays while it loads an old session is in the transcript already, and
 * not for the log: it is over when this settles.
 */
import {
  type InitializeResponse,
  type LoadSessionResponse,
  type McpServer,
  methods,
  type NewSessionResponse,
  PROTOCOL_VERSION,
  RequestError,
  type ResumeSessionResponse,
} from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import type { AgentCommand } from "../agent-command.ts";
import { agentErrors } from "../errors.ts";
import { wayTo } from "../mcp-servers.ts";
import type { AgentLink } from "./agent-link.ts";
import { chooseAgain, type SessionChoices, type SessionConfig } from "./session-choices.ts";

/** What is wanted of the agent. */
export interface SessionWish {
  readonly cwd: string;
  /** The agent's own id of the session that goes on. */
  readonly before: string | undefined;
  /** For an agent that begins anew. */
  readonly choices: SessionChoices | undefined;
  readonly timeoutMs: number;
  readonly command: Pick<AgentCommand, "authMethod" | "mcpServers" | "offers">;
  /** The program's own tools, for an agent that says that it takes them over HTTP. */
  readonly ownTools: (takesHttp: boolean) => Promise<readonly McpServer[]>;
}

/** What the agent gave. */
export interface OpenedSession {
  readonly agentSessionId: string;
  /** False when the agent began anew: it doesn't remember what was said before. */
  readonly resumed: boolean;
  /** Why a session that was there before isn't resumed. */
  readonly restarted: Restart | undefined;
  readonly config: SessionConfig;
  readonly agentInfo: InitializeResponse["agentInfo"];
  readonly capabilities: NonNullable<InitializeResponse["agentCapabilities"]>;
  /** The ids of the ways in which it lets itself be told who asks. */
  readonly authMethods: readonly string[];
}

/** Why an agent began anew. */
export interface Restart {
  readonly reason: "unsupported" | "failed";
  readonly message?: string;
  /** Of what had been chosen of the session, what the agent has refused now: "mode", or an option's id. */
  readonly notSet?: readonly string[];
}

/** What an agent is asked to go on with. */
interface OldSession {
  readonly sessionId: string;
  readonly cwd: string;
  readonly mcpServers: McpServer[];
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

async function open(link: AgentLink, wish: SessionWish): Promise<OpenedSession> {
  const { cwd, before, choices, command } = wish;
  const { initialize, session } = methods.agent;
  const { files = true, terminals = true } = command.offers ?? {};
  const hello = await link.request(initialize, (agent) =>
    agent.request(initialize, {
      protocolVersion: PROTOCOL_VERSION,
      clientInfo: { name: "troupe", version: "1" },
      clientCapabilities: { fs: { readTextFile: files, writeTextFile: files }, terminal: terminals },
    }),
  );
  const { protocolVersion: found } = hello;
  if (found !== PROTOCOL_VERSION)
    throw agentErrors.protocolVersion({ found, supported: PROTOCOL_VERSION, stderr: link.stderr });
  await authenticate(link, hello, command.authMethod);
  const capabilities = hello.agentCapabilities ?? {};
  checkReach(command.mcpServers ?? [], capabilities);
  const own = await wish.ownTools(capabilities.mcpCapabilities?.http === true);
  const mcpServers = [...own, ...(command.mcpServers ?? [])];
  const opened = { agentInfo: hello.agentInfo, capabilities, authMethods: waysOf(hello) };
  let restarted: Restart | undefined;
  if (before !== undefined) {
    const again = await goOn(link, capabilities, { sessionId: before, cwd, mcpServers });
    if ("config" in again)
      return { ...opened, agentSessionId: before, resumed: true, restarted, config: again.config };
    restarted = again;
  }
  const { sessionId, modes, configOptions } = await link
    .request<NewSessionResponse>(
      session.new,
      (agent) => agent.request(session.new, { cwd, mcpServers }),
      "sessionId",
    )
    .catch((cause: unknown) => {
      throw orAuthRequired(cause, waysOf(hello));
    });
  const fresh = { ...opened, agentSessionId: sessionId, resumed: false };
  const given = { modes, configOptions };
  if (restarted === undefined || choices === undefined) return { ...fresh, restarted, config: given };
  const { config, refused } = await chooseAgain({ link, sessionId }, given, choices);
  return {
    ...fresh,
    restarted: refused.length === 0 ? restarted : { ...restarted, notSet: refused },
    config,
  };
}

async function authenticate(
  link: AgentLink,
  hello: InitializeResponse,
  methodId: string | undefined,
): Promise<void> {
  if (methodId === undefined) return;
  const known = waysOf(hello);
  if (!known.includes(methodId)) throw agentErrors.authUnknown(methodId, known);
  const { authenticate: method } = methods.agent;
  await link.request(method, (agent) => agent.request(method, { methodId }));
}

function waysOf({ authMethods }: InitializeResponse): string[] {
  return Array.isArray(authMethods) ? authMethods.map((method) => String(method?.id)) : [];
}

/** The same, or `agent.auth_required` where the agent has said that: before a session is there, or at any prompt. */
export function orAuthRequired(cause: unknown, known: readonly string[]): unknown {
  if (!TroupeError.is(cause) || cause.metadata?.["code"] !== RequestError.authRequired().code) return cause;
  return agentErrors.authRequired(known, String(cause.metadata["stderr"] ?? ""));
}

/** An agent that can't reach a server would go on without it, and say nothing. */
function checkReach(servers: readonly McpServer[], { mcpCapabilities }: OpenedSession["capabilities"]): void {
  for (const server of servers) {
    const way = wayTo(server);
    if (way !== undefined && mcpCapabilities?.[way] !== true)
      throw agentErrors.mcpUnsupported(server.name, way);
  }
}

/** The old session again, by the first way that the agent has and takes, or why not. Rejects when the agent is gone. */
async function goOn(
  link: AgentLink,
  capabilities: OpenedSession["capabilities"],
  request: OldSession,
): Promise<{ readonly config: SessionConfig } | Restart> {
  const ways = waysBack(link, capabilities, request);
  if (ways.length === 0) return { reason: "unsupported" };
  const refusals: string[] = [];
  for (const way of ways) {
    try {
      const { modes, configOptions } = await way();
      return { config: { modes, configOptions } };
    } catch (cause) {
      if (!TroupeError.is(cause) || cause.code !== "refused") throw cause;
      refusals.push(cause.message);
    }
  }
  return { reason: "failed", message: refusals.join("; ") };
}

/** The best first: an agent that loads a session replays all of it. */
function waysBack(
  link: AgentLink,
  { sessionCapabilities, loadSession }: OpenedSession["capabilities"],
  request: OldSession,
): (() => Promise<ResumeSessionResponse | LoadSessionResponse>)[] {
  const { session } = methods.agent;
  const resume = () =>
    link.request<ResumeSessionResponse>(session.resume, (agent) => agent.request(session.resume, request));
  const load = async () => {
    const loaded = await link.request<LoadSessionResponse>(session.load, (agent) =>
      agent.request(session.load, request),
    );
    await replayed(link);
    return loaded;
  };
  return [...(sessionCapabilities?.resume == null ? [] : [resume]), ...(loadSession === true ? [load] : [])];
}

/** How long an agent is waited for that doesn't answer what it doesn't know. */
const UNKNOWN_MS = 1_000;

/**
 * Settles when what a loaded session replays has come. It should come before the answer to the load; Gemini CLI sends it beside that. So
 * it is asked something, which it needn't know, until nothing comes before its answer.
 */
async function replayed(link: AgentLink): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<"over">();
  const timer = setTimeout(() => resolve("over"), UNKNOWN_MS);
  for (let before = -1, answer: unknown; before !== link.updates && answer !== "over"; ) {
    before = link.updates;
    const answered = link.request("_troupe/replayed", (agent) => agent.request("_troupe/replayed", {}));
    answer = await Promise.race([answered.catch(ignored), over]);
  }
  clearTimeout(timer);
}

/** A refusal is an answer. Throws why the agent is gone. */
function ignored(cause: unknown): void {
  if (!TroupeError.is(cause) || cause.code !== "refused") throw cause;
}
