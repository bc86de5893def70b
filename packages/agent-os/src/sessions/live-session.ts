/**
 * LiveSession: a session whose agent runs. Each has a process of its own, so that one agent's end is no other session's.
 *
 *   starting ──▶ idle ⇄ prompting ──▶ ended
 *
 * One prompt at a time. A prompt is in the transcript, and on disk, before the agent hears of it; its updates are there
 * before its result is given. An agent that ends takes the prompt with it (`agent.exited` with its stderr); the session
 * stays, and the next prompt starts the agent again. An agent that has begun anew is told the transcript with its first
 * prompt.
 */
import {
  type ContentBlock,
  methods,
  type SessionNotification,
  type StopReason,
  type ToolCallUpdate,
} from "@agentclientprotocol/sdk";
import { AgentLink } from "../acp/agent-link.ts";
import { type OpenedSession, openSession, orAuthRequired } from "../acp/open-session.ts";
import { decide, type PermissionPolicy } from "../acp/permissions.ts";
import {
  chooseMode,
  chooseOption,
  type SessionChoices,
  type SessionConfig,
  withMode,
} from "../acp/session-choices.ts";
import type { AgentCommand } from "../agent-command.ts";
import { agentErrors, sessionErrors } from "../errors.ts";
import type { HostTools, RunTool, SessionTools } from "../host-tools/host-tools.ts";
import type { ModelEnvironment, Models } from "../models/models.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { SessionEvent } from "../session-entry.ts";
import { PermissionDesk } from "./permission-desk.ts";
import type { PromptResult } from "./prompts.ts";
import type { SessionRow } from "./session-table.ts";
import type { ToolCalls } from "./tool-calls.ts";

/** ACP's: a turn's end has one of these. */
const stopReasons: ReadonlySet<StopReason> = new Set([
  "end_turn",
  "max_tokens",
  "max_turn_requests",
  "refusal",
  "cancelled",
]);

/** What a live session is made of. */
export interface LiveSessionParts {
  readonly sessionId: string;
  readonly row: SessionRow;
  readonly command: AgentCommand;
  /** The actor's sandbox, booted if need be. */
  readonly sandbox: () => Promise<Sandbox>;
  /** Of the program's own, for the agent. */
  readonly tools: Pick<HostTools, "offer">;
  /** What it asks for outside of any prompt; undefined where there is no relay. */
  readonly callsBetween: () => ToolCalls | undefined;
  /** Where its model calls go; undefined: wherever the agent sends them. */
  readonly models?: Models | undefined;
  readonly permissions: PermissionPolicy;
  readonly permissionTimeoutMs: number;
  readonly startTimeoutMs: number;
  /** An agent that goes on so long behind a cancel is ended. */
  readonly cancelTimeoutMs: number;
  /** Stores an event, then tells it. */
  readonly record: (event: SessionEvent) => Promise<void>;
  /** What an agent that doesn't remember is told of the past; undefined when there is none. */
  readonly history: () => Promise<ContentBlock | undefined>;
  /** Settles when all that was recorded is durable. */
  readonly durable: () => Promise<void>;
  /** Somebody has chosen this of the session, and the agent has taken it. */
  readonly onChosen: (choices: SessionChoices) => void;
  /** The agent has gone. */
  readonly onEnded: () => void;
}

/** A session with a running agent. */
export class LiveSession {
  /** The session's way with the agent; rejects when there is none. */
  readonly opened: Promise<OpenedSession>;
  readonly #parts: LiveSessionParts;
  readonly #link: AgentLink;
  readonly #desk: PermissionDesk;
  #config: SessionConfig = { modes: undefined, configOptions: undefined };
  /** Stands before the first prompt of an agent that has begun anew. */
  #past: ContentBlock | undefined;
  /** The agent's id of the session, once its updates are for the transcript. */
  #listeningTo: string | undefined;
  #turn: "none" | "preparing" | "cancelled" | "running" = "none";
  /** Of the prompt that runs, where there is a relay. */
  #calls: ToolCalls | undefined;
  /** Runs from a cancel to its turn's end. */
  #overdue: NodeJS.Timeout | undefined;
  /** The first update that couldn't be stored. */
  #lost: unknown;

  constructor(parts: LiveSessionParts) {
    this.#parts = parts;
    const { command, row, permissions } = parts;
    this.#desk = new PermissionDesk({ timeoutMs: parts.permissionTimeoutMs, record: parts.record });
    this.#link = new AgentLink({
      command,
      place: {
        sandbox: parts.sandbox,
        permit: async (request) => {
          const policy = (await this.#permits(request.toolCall)) ? permissions : "reject_all";
          return await decide(policy, request, (asked) => this.#desk.ask(asked));
        },
      },
      environment: this.#environment(),
      onUpdate: (update) => this.#updated(update),
      // What can't be stored ends the session by itself.
      caughtUp: () => parts.durable().catch(() => undefined),
    });
    void this.#link.ended.then(() => {
      this.#desk.cancel("session_ended");
      parts.onEnded();
    });
    this.opened = this.#open(row);
  }

  get prompting(): boolean {
    return this.#turn !== "none";
  }

  /** The questions to listeners that wait for an answer. */
  get desk(): Pick<PermissionDesk, "pending" | "respond"> {
    return this.#desk;
  }

  /** Gives the agent a prompt, behind `delivering`; settles when its turn is over and everything of it is stored. */
  async prompt(
    blocks: readonly ContentBlock[],
    delivering: () => Promise<void>,
    calls?: ToolCalls,
  ): Promise<PromptResult> {
    if (this.prompting) throw sessionErrors.promptActive(this.#parts.sessionId);
    this.#turn = "preparing";
    this.#calls = calls;
    try {
      const { agentSessionId, authMethods } = await this.opened;
      await Promise.all(
        blocks.map((content) => this.#parts.record({ sessionUpdate: "user_message_chunk", content })),
      );
      await delivering();
      await this.#parts.durable();
      if (this.#isCancelled()) return { stopReason: "cancelled" };
      this.#turn = "running";
      const told = this.#past === undefined ? blocks : [this.#past, ...blocks];
      this.#past = undefined;
      const { prompt } = methods.agent.session;
      const { stopReason } = await this.#link
        .request(prompt, (agent) => agent.request(prompt, { sessionId: agentSessionId, prompt: [...told] }))
        .catch((cause: unknown) => {
          throw orAuthRequired(cause, authMethods);
        });
      if (!stopReasons.has(stopReason))
        throw agentErrors.answerInvalid({ method: prompt, stderr: this.#link.stderr });
      await this.#parts.durable();
      if (this.#lost !== undefined) throw this.#lost;
      return { stopReason };
    } finally {
      clearTimeout(this.#overdue);
      this.#overdue = undefined;
      this.#turn = "none";
      this.#calls = undefined;
      calls?.end();
    }
  }

  /** Asks the agent to end its turn; the prompt settles with what the agent makes of it, or without an agent. */
  async cancel(): Promise<"cancelled" | "no_active_prompt"> {
    if (!this.prompting) return "no_active_prompt";
    if (this.#turn !== "running") {
      // The agent hasn't heard of it, and won't.
      this.#turn = "cancelled";
      return "cancelled";
    }
    const { agentSessionId } = await this.opened;
    const { cancelTimeoutMs: timeoutMs } = this.#parts;
    this.#overdue ??= setTimeout(
      () => void this.#link.close(agentErrors.cancelIgnored({ timeoutMs, stderr: this.#link.stderr })),
      timeoutMs,
    );
    this.#desk.cancel("cancelled");
    await this.#link.notify((agent) =>
      agent.notify(methods.agent.session.cancel, { sessionId: agentSessionId }),
    );
    return "cancelled";
  }

  /** What can be chosen of the session, and what is. */
  async config(): Promise<SessionConfig> {
    await this.opened;
    return this.#config;
  }

  /** Rejects with `agent.refused` when the agent has no such mode. */
  async setMode(modeId: string): Promise<SessionConfig> {
    const { agentSessionId: sessionId } = await this.opened;
    await chooseMode({ link: this.#link, sessionId }, this.#config, modeId);
    this.#config = withMode(this.#config, modeId);
    this.#parts.onChosen({ mode: modeId });
    return this.#config;
  }

  /** Rejects with `agent.refused` when the agent has no such option, or it can't have the value. */
  async setOption(configId: string, value: string | boolean): Promise<SessionConfig> {
    const { agentSessionId: sessionId } = await this.opened;
    const session = { link: this.#link, sessionId };
    const { configOptions } = await chooseOption(session, this.#config, configId, value);
    this.#config = { ...this.#config, configOptions };
    // What an agent takes and doesn't have isn't kept for it.
    if (configOptions?.some(({ id }) => id === configId) === true)
      this.#parts.onChosen({ options: { [configId]: value } });
    return this.#config;
  }

  /** A function, because the compiler doesn't know that others write the field while a prompt waits. */
  #isCancelled(): boolean {
    return this.#turn === "cancelled";
  }

  /** Ends the agent; settles when it is gone. */
  async close(): Promise<void> {
    await this.#link.close(sessionErrors.closed(this.#parts.sessionId));
  }

  async #open({ cwd, agentSessionId, choices }: SessionRow): Promise<OpenedSession> {
    const { command, startTimeoutMs: timeoutMs } = this.#parts;
    const opened = await openSession(this.#link, {
      cwd,
      before: agentSessionId,
      choices,
      timeoutMs,
      command,
      ownTools: (takesHttp) => this.#offerTools(takesHttp),
    });
    this.#config = opened.config;
    this.#listeningTo = opened.agentSessionId;
    if (opened.restarted !== undefined) {
      this.#past = await this.#parts.history();
      await this.#parts.record({ sessionUpdate: "_session_restarted", ...opened.restarted });
    }
    return opened;
  }

  /** False when middleware has refused what the agent asks for. It may also ask when no prompt runs. */
  async #permits(asked: ToolCallUpdate): Promise<boolean> {
    if (this.#calls !== undefined) return await this.#calls.permits(asked);
    const calls = this.#parts.callsBetween();
    const permitted = (await calls?.permits(asked)) ?? true;
    calls?.end();
    return permitted;
  }

  /** An agent inside has its way out by the sandbox's network. */
  #environment(): Promise<ModelEnvironment["env"]> | undefined {
    const { models, command, sessionId } = this.#parts;
    if (models === undefined || command.inside === true) return undefined;
    return models
      .offer(sessionId, () => this.#calls)
      .then((offered) => {
        void this.#link.ended.then(() => offered[Symbol.dispose]());
        return offered.env;
      });
  }

  async #offerTools(takesHttp: boolean): Promise<SessionTools["servers"]> {
    const run: RunTool = async (name, args, code) => {
      const calls = this.#calls;
      return await (calls === undefined ? code(args) : calls.run(name, args, code));
    };
    // From inside a loopback address of the host's leads nowhere.
    const { command, sessionId } = this.#parts;
    const reaches = takesHttp && command.inside !== true;
    const tools = await this.#parts.tools.offer(sessionId, reaches, run);
    void this.#link.ended.then(() => tools[Symbol.dispose]());
    return tools.servers;
  }

  #updated({ sessionId, update }: SessionNotification): void {
    if (sessionId !== this.#listeningTo) return;
    if (update.sessionUpdate === "current_mode_update")
      this.#config = withMode(this.#config, update.currentModeId);
    if (update.sessionUpdate === "config_option_update")
      this.#config = { ...this.#config, configOptions: update.configOptions };
    this.#calls?.seen(update);
    this.#parts.record(update).catch((cause: unknown) => {
      // A transcript with a hole would be a lie: the agent is stopped, and its prompt fails with the reason.
      this.#lost ??= cause;
      void this.close();
    });
  }
}
