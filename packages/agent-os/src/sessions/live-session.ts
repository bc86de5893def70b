/**
 * LiveSession: a session whose agent runs. Each has a process of its own, so that one agent's end is no other session's.
 *
 *   starting ──▶ idle ⇄ prompting ──▶ ended
 *
 * One prompt at a time. A prompt is in the transcript, and on disk, before the agent hears of it; its updates are there
 * before its result is given. An agent that ends takes the prompt with it (`agent.exited` with its stderr); the session
 * stays, and the next prompt starts the agent again.
 */
import {
  type ContentBlock,
  methods,
  type SessionNotification,
  type SessionUpdate,
  type StopReason,
} from "@agentclientprotocol/sdk";
import { AgentLink } from "../acp/agent-link.ts";
import type { AgentPlace } from "../acp/agent-place.ts";
import { type OpenedSession, openSession } from "../acp/open-session.ts";
import type { AgentCommand } from "../config.ts";
import { sessionErrors } from "../errors.ts";
import type { SessionRow } from "./session-table.ts";

/** What a live session is made of. */
export interface LiveSessionParts {
  readonly sessionId: string;
  readonly row: SessionRow;
  readonly command: AgentCommand;
  readonly place: AgentPlace;
  readonly startTimeoutMs: number;
  /** Stores an event, then tells it. */
  readonly record: (event: SessionUpdate) => Promise<void>;
  /** Settles when all that was recorded is durable. */
  readonly durable: () => Promise<void>;
  /** The agent has gone. */
  readonly onEnded: () => void;
}

/** The result of a prompt. */
export interface PromptResult {
  readonly stopReason: StopReason;
}

/** A session with a running agent. */
export class LiveSession {
  /** The session's way with the agent; rejects when there is none. */
  readonly opened: Promise<OpenedSession>;
  readonly #parts: LiveSessionParts;
  readonly #link: AgentLink;
  /** The agent's id of the session, once its updates are for the transcript. */
  #listeningTo: string | undefined;
  #turn: "none" | "preparing" | "cancelled" | "running" = "none";
  /** The first update that couldn't be stored. */
  #lost: unknown;

  constructor(parts: LiveSessionParts) {
    this.#parts = parts;
    const { command, place, row } = parts;
    this.#link = new AgentLink({
      command,
      place,
      onUpdate: (update) => this.#updated(update),
      // What can't be stored ends the session by itself.
      caughtUp: () => parts.durable().catch(() => undefined),
    });
    void this.#link.ended.then(() => parts.onEnded());
    this.opened = this.#open(row);
  }

  get prompting(): boolean {
    return this.#turn !== "none";
  }

  /** Gives the agent a prompt; settles when its turn is over and everything of it is stored. */
  async prompt(blocks: readonly ContentBlock[]): Promise<PromptResult> {
    if (this.prompting) throw sessionErrors.promptActive(this.#parts.sessionId);
    this.#turn = "preparing";
    try {
      const { agentSessionId } = await this.opened;
      await Promise.all(
        blocks.map((content) => this.#parts.record({ sessionUpdate: "user_message_chunk", content })),
      );
      await this.#parts.durable();
      if (this.#isCancelled()) return { stopReason: "cancelled" };
      this.#turn = "running";
      const { prompt } = methods.agent.session;
      const { stopReason } = await this.#link.request(prompt, (agent) =>
        agent.request(prompt, { sessionId: agentSessionId, prompt: [...blocks] }),
      );
      await this.#parts.durable();
      if (this.#lost !== undefined) throw this.#lost;
      return { stopReason };
    } finally {
      this.#turn = "none";
    }
  }

  /** Asks the agent to end its turn; the prompt settles with what the agent makes of it. */
  async cancel(): Promise<"cancelled" | "no_active_prompt"> {
    if (!this.prompting) return "no_active_prompt";
    if (this.#turn !== "running") {
      // The agent hasn't heard of it, and won't.
      this.#turn = "cancelled";
      return "cancelled";
    }
    const { agentSessionId } = await this.opened;
    await this.#link.notify((agent) =>
      agent.notify(methods.agent.session.cancel, { sessionId: agentSessionId }),
    );
    return "cancelled";
  }

  /** A function, because the compiler doesn't know that others write the field while a prompt waits. */
  #isCancelled(): boolean {
    return this.#turn === "cancelled";
  }

  /** Ends the agent; settles when it is gone. */
  async close(): Promise<void> {
    await this.#link.close(sessionErrors.closed(this.#parts.sessionId));
  }

  async #open({ cwd, agentSessionId }: SessionRow): Promise<OpenedSession> {
    const opened = await openSession(this.#link, {
      cwd,
      before: agentSessionId,
      timeoutMs: this.#parts.startTimeoutMs,
    });
    this.#listeningTo = opened.agentSessionId;
    return opened;
  }

  #updated({ sessionId, update }: SessionNotification): void {
    if (sessionId !== this.#listeningTo) return;
    this.#parts.record(update).catch((cause: unknown) => {
      // A transcript with a hole would be a lie: the agent is stopped, and its prompt fails with the reason.
      this.#lost ??= cause;
      void this.close();
    });
  }
}
