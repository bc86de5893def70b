/**
 * Sessions: an actor's sessions, of which some have a running agent.
 *
 * A session is a name, an agent's name and a transcript; they outlive every process. Its agent is started when it is
 * created or opened, and again by the next prompt when it went (it crashed, or the actor slept).
 */
import type { ContentBlock } from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { AtifTrajectory } from "@troupe/relay/node";
import { type NamedPolicy, narrower, type PermissionPolicy, permissionPolicies } from "../acp/permissions.ts";
import type { SessionConfig } from "../acp/session-choices.ts";
import type { AgentCommand } from "../agent-command.ts";
import { agentErrors, sessionErrors } from "../errors.ts";
import type { HostTools } from "../host-tools/host-tools.ts";
import type { Models } from "../models/models.ts";
import { HOME } from "../sandbox/home.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { EventLog } from "./event-log.ts";
import { historyBlock } from "./history-text.ts";
import { LiveSession } from "./live-session.ts";
import { openQuestions } from "./open-questions.ts";
import type { PendingPermission } from "./permission-desk.ts";
import type { PromptResult, Prompts } from "./prompts.ts";
import type { SessionTable } from "./session-table.ts";
import type { ToolCalls } from "./tool-calls.ts";
import { TrajectoryBuilder } from "./trajectory.ts";
import type { Transcript } from "./transcript.ts";

/** What sessions are made of. */
export interface SessionsParts {
  readonly agents: Readonly<Record<string, AgentCommand>>;
  readonly table: SessionTable;
  readonly log: EventLog;
  readonly transcript: Transcript;
  readonly prompts: Prompts;
  readonly sandbox: () => Promise<Sandbox>;
  readonly tools: HostTools;
  /** Of an agent that asks for something while no prompt runs; undefined where there is no relay. */
  readonly callsBetween: () => ToolCalls | undefined;
  readonly models?: Models | undefined;
  readonly permissions: PermissionPolicy;
  readonly permissionTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly cancelTimeoutMs: number;
  /** Settles when all that was written is durable. */
  readonly durable: () => Promise<void>;
}

/** Which agent a new session is with, and where that works. */
export interface SessionOptions {
  /** The agent's name in the configuration. Default: the first. */
  readonly agent?: string;
  /** The directory in the sandbox that the agent is told to work in. Default: "/home/user". */
  readonly cwd?: string;
  /** Who answers the agent's questions: as the configuration says, or narrower. */
  readonly permissionPolicy?: NamedPolicy;
}

/** What is told of an open session. */
export interface SessionInfo {
  readonly sessionId: string;
  readonly agent: string;
  /** False when the agent has begun anew: it doesn't remember earlier prompts of this session. */
  readonly resumed: boolean;
  /** What the agent said of itself. */
  readonly agentInfo: { readonly name: string; readonly version: string } | undefined;
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** What is told of any session. */
export interface SessionSummary {
  readonly sessionId: string;
  readonly agent: string;
  /** "unloaded": no agent runs; the next prompt starts it. "waiting": it has asked something and waits for the answer. */
  readonly state: "unloaded" | "idle" | "running" | "waiting";
  /** The questions that wait for `respondPermission`. */
  readonly pendingPermissions: readonly PendingPermission[];
}

/** The sessions of one activation. */
export class Sessions {
  readonly #parts: SessionsParts;
  readonly #live = new Map<string, LiveSession>();
  /** Prompts under way, by their sessions. */
  readonly #prompting = new Map<string, Set<Promise<unknown>>>();
  /** Sessions that are being forgotten: no agent of theirs starts any more, and who wants one of that name waits. */
  readonly #deleting = new Map<string, Promise<void>>();
  #closed = false;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
  }

  /** The names of the agents; the first is who a session without one gets. */
  get agents(): string[] {
    return Object.keys(this.#parts.agents);
  }

  /** A new session. When its agent doesn't start there is none. */
  async create(sessionId: string, options: SessionOptions): Promise<SessionInfo> {
    await this.#deleting.get(sessionId);
    const { agents, table } = this.#parts;
    const agent = options.agent ?? Object.keys(agents)[0] ?? "";
    this.#command(agent);
    const { cwd = HOME, permissionPolicy } = options;
    this.#checkPolicy(permissionPolicy);
    const policy = permissionPolicy === undefined ? {} : { permissionPolicy };
    table.add(sessionId, { agent, cwd, ...policy, agentSessionId: undefined });
    try {
      return await this.#info(sessionId);
    } catch (cause) {
      if (table.find(sessionId)?.agentSessionId === undefined) table.remove(sessionId);
      throw cause;
    }
  }

  /** The session of this name, created where there is none; its agent runs when this settles. */
  async open(sessionId: string, options: SessionOptions): Promise<SessionInfo> {
    await this.#deleting.get(sessionId);
    const row = this.#parts.table.find(sessionId);
    if (row === undefined) return await this.create(sessionId, options);
    if (options.agent !== undefined && options.agent !== row.agent)
      throw sessionErrors.otherAgent(sessionId, row.agent);
    return await this.#info(sessionId);
  }

  /** With a key, a prompt is given to the agent once, however often it comes. */
  async prompt(
    sessionId: string,
    blocks: readonly ContentBlock[],
    key: string | undefined,
    calls?: ToolCalls,
  ): Promise<PromptResult> {
    await this.#deleting.get(sessionId);
    const result = this.#prompt(sessionId, blocks, key, calls);
    const prompting = this.#prompting.get(sessionId) ?? new Set();
    this.#prompting.set(sessionId, prompting.add(result));
    try {
      return await result;
    } finally {
      prompting.delete(result);
      if (prompting.size === 0) this.#prompting.delete(sessionId);
    }
  }

  /**
   * Says in the transcripts which prompts an earlier activation has left in the middle, and which questions. Sessions whose agent was being
   * started for the first time never were: nobody was told of one.
   */
  async recover(): Promise<void> {
    const { log, prompts, table, transcript } = this.#parts;
    table.removeUnmade();
    const refused = { outcome: "cancelled", reason: "session_ended" } as const;
    await prompts.recover(async ({ sessionId, promptId }) => {
      for (const requestId of await openQuestions(transcript, sessionId))
        await log.session(sessionId, { sessionUpdate: "_permission_response", requestId, ...refused });
      const mark = { sessionUpdate: "_prompt_interrupted", promptId } as const;
      const { events } = await transcript.before({ sessionId, before: undefined, limit: 1 });
      // Told of in an activation that was killed then.
      if (JSON.stringify(events[0]?.event) !== JSON.stringify(mark)) await log.session(sessionId, mark);
    });
  }

  respondPermission(sessionId: string, requestId: string, optionId: string): "accepted" | "not_pending" {
    this.#parts.table.get(sessionId);
    return this.#live.get(sessionId)?.desk.respond(requestId, optionId) ?? "not_pending";
  }

  async config(sessionId: string): Promise<SessionConfig> {
    return await this.#running(sessionId).config();
  }

  async setMode(sessionId: string, modeId: string): Promise<SessionConfig> {
    return await this.#running(sessionId).setMode(modeId);
  }

  async setOption(sessionId: string, configId: string, value: string | boolean): Promise<SessionConfig> {
    return await this.#running(sessionId).setOption(configId, value);
  }

  /** Ends a session's agent, and forgets the session with all that it has said. */
  async delete(sessionId: string): Promise<void> {
    this.#parts.table.get(sessionId);
    const deleting =
      this.#deleting.get(sessionId) ??
      this.#forget(sessionId).finally(() => this.#deleting.delete(sessionId));
    this.#deleting.set(sessionId, deleting);
    await deleting;
  }

  /** Its prompts end before their rows go: what they say of their end would be the first words of the next of that name. */
  async #forget(sessionId: string): Promise<void> {
    const { log, table, transcript, prompts } = this.#parts;
    await this.#live.get(sessionId)?.close();
    await Promise.allSettled(this.#prompting.get(sessionId) ?? []);
    await log.settled();
    await transcript.remove(sessionId);
    await prompts.remove(sessionId);
    table.remove(sessionId);
  }

  async cancel(sessionId: string): Promise<"cancelled" | "no_active_prompt"> {
    this.#parts.table.get(sessionId);
    return (await this.#live.get(sessionId)?.cancel()) ?? "no_active_prompt";
  }

  get(sessionId: string): SessionSummary {
    const { agent } = this.#parts.table.get(sessionId);
    const live = this.#live.get(sessionId);
    const pendingPermissions = live?.desk.pending ?? [];
    return { sessionId, agent, state: stateOf(live), pendingPermissions };
  }

  list(): SessionSummary[] {
    return this.#parts.table.list().map(({ sessionId }) => this.get(sessionId));
  }

  /** All of a session, step by step. Throws `session.trajectory_too_large`. */
  async trajectory(sessionId: string): Promise<AtifTrajectory> {
    const { agent } = this.#parts.table.get(sessionId);
    const builder = new TrajectoryBuilder({ sessionId, agent });
    let bytes = 0;
    for (let after = 0, more = true; more; ) {
      const page = await this.#parts.transcript.page({ sessionId, after, limit: limits.sessionPageEvents });
      for (const entry of page.events) builder.add(entry);
      bytes += JSON.stringify(page.events).length;
      if (bytes > limits.sessionTrajectoryBytes)
        throw sessionErrors.trajectoryTooLarge(sessionId, limits.sessionTrajectoryBytes);
      after = page.events.at(-1)?.sequence ?? after;
      more = page.hasMore;
    }
    return builder.trajectory;
  }

  /** Ends a session's agent; the session and its transcript stay. */
  async unload(sessionId: string): Promise<void> {
    this.#parts.table.get(sessionId);
    await this.#live.get(sessionId)?.close();
  }

  /** Ends all agents: the activation is over. Prompts that run are cancelled by it. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#live.values()].map((session) => session.close()));
    await this.#parts.tools.close();
    await this.#parts.models?.close();
    await this.#parts.log.settled();
  }

  async #prompt(
    sessionId: string,
    blocks: readonly ContentBlock[],
    key: string | undefined,
    calls: ToolCalls | undefined,
  ): Promise<PromptResult> {
    const { table, prompts, log } = this.#parts;
    table.get(sessionId);
    return await prompts.run(sessionId, key, async (delivering) => {
      let promptId: string | undefined;
      const handingOver = async () => {
        promptId = await delivering();
      };
      try {
        return await this.#running(sessionId).prompt(blocks, handingOver, calls);
      } catch (cause) {
        // Why the prompt failed is worth more than that this can't be stored either.
        if (promptId !== undefined && !isRefusal(cause))
          await log
            .session(sessionId, { sessionUpdate: "_prompt_interrupted", promptId })
            .catch(() => undefined);
        throw cause;
      }
    });
  }

  async #info(sessionId: string): Promise<SessionInfo> {
    const { agentInfo, capabilities, resumed } = await this.#running(sessionId).opened;
    const { agent } = this.#parts.table.get(sessionId);
    const known = agentInfo == null ? undefined : { name: agentInfo.name, version: agentInfo.version };
    return { sessionId, agent, resumed, agentInfo: known, capabilities: { ...capabilities } };
  }

  /** The session with its agent, started if need be. Whoever asks meanwhile gets the same. */
  #running(sessionId: string): LiveSession {
    const running = this.#live.get(sessionId);
    if (running !== undefined) return running;
    if (this.#closed || this.#deleting.has(sessionId)) throw sessionErrors.closed(sessionId);
    const { table, log, transcript, permissions, durable } = this.#parts;
    const row = table.get(sessionId);
    const live: LiveSession = new LiveSession({
      sessionId,
      row: { ...row },
      command: this.#command(row.agent),
      sandbox: this.#parts.sandbox,
      tools: this.#parts.tools,
      callsBetween: this.#parts.callsBetween,
      models: this.#parts.models,
      permissions: narrower(permissions, row.permissionPolicy),
      permissionTimeoutMs: this.#parts.permissionTimeoutMs,
      startTimeoutMs: this.#parts.startTimeoutMs,
      cancelTimeoutMs: this.#parts.cancelTimeoutMs,
      record: (event) => log.session(sessionId, event),
      history: () => historyBlock(transcript, sessionId),
      durable: async () => {
        await log.settled();
        await durable();
      },
      onChosen: (choices) => table.addChoices(sessionId, choices),
      onEnded: () => {
        if (this.#live.get(sessionId) === live) this.#live.delete(sessionId);
      },
    });
    this.#live.set(sessionId, live);
    live.opened
      .then(({ agentSessionId }) => table.setAgentSessionId(sessionId, agentSessionId))
      // Who waits for the session is told; a write behind the end of this life has nobody.
      .catch(() => undefined);
    return live;
  }

  /** A session's policy may refuse more than the actor's, never less. */
  #checkPolicy(asked: NamedPolicy | undefined): void {
    if (asked === undefined) return;
    if (!permissionPolicies.includes(asked))
      throw sessionErrors.invalid(`permissionPolicy must be one of ${permissionPolicies.join(", ")}`);
    const { permissions } = this.#parts;
    if (narrower(permissions, asked) !== asked)
      throw sessionErrors.policyTooWide(
        asked,
        typeof permissions === "function" ? "a function" : permissions,
      );
  }

  #command(agent: string): AgentCommand {
    const { agents } = this.#parts;
    const command = Object.hasOwn(agents, agent) ? agents[agent] : undefined;
    if (command === undefined) throw agentErrors.unknown(agent, Object.keys(agents));
    return command;
  }
}

/** The agent's own answer: all others leave open how far it came, and who only follows the session would never hear of them. */
function isRefusal(cause: unknown): boolean {
  return TroupeError.is(cause) && cause.group === "agent" && cause.code === "refused";
}

function stateOf(live: LiveSession | undefined): SessionSummary["state"] {
  if (live === undefined) return "unloaded";
  if (live.desk.pending.length > 0) return "waiting";
  return live.prompting ? "running" : "idle";
}
