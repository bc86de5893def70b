/** What is known of an actor's sessions, on disk: which there are, and whose they are. */
import { limits } from "@troupe/protocol";
import type { NamedPolicy } from "../acp/permissions.ts";
import type { SessionChoices } from "../acp/session-choices.ts";
import { sessionErrors } from "../errors.ts";
import { VM_STREAM } from "../session-entry.ts";

/** A session, as it is kept. */
export interface SessionRow {
  /** The name of its agent in the configuration. */
  readonly agent: string;
  /** The working directory that the agent is told. */
  readonly cwd: string;
  /** Who answers the agent's questions, where the session says so. */
  readonly permissionPolicy?: NamedPolicy;
  /** The agent's own id of the session; undefined until an agent has made one. */
  agentSessionId: string | undefined;
  /** For an agent that begins anew. */
  choices?: SessionChoices;
}

/** The part of the actor's state that holds the table. */
export interface SessionTableState {
  sessions: Record<string, SessionRow>;
}

/** Sessions by their names. */
export class SessionTable {
  readonly #state: () => SessionTableState;

  constructor(state: () => SessionTableState) {
    this.#state = state;
  }

  find(sessionId: string): SessionRow | undefined {
    const { sessions } = this.#state();
    return Object.hasOwn(sessions, sessionId) ? sessions[sessionId] : undefined;
  }

  /** Throws `session.not_found`. */
  get(sessionId: string): SessionRow {
    const row = this.find(sessionId);
    if (row === undefined) throw sessionErrors.notFound(sessionId);
    return row;
  }

  /** Throws `session.invalid_id`, `session.exists`, `session.too_many`. */
  add(sessionId: string, row: SessionRow): void {
    if (!isSessionId(sessionId)) throw sessionErrors.invalidId(limits.sessionIdLength);
    const { sessions } = this.#state();
    if (this.find(sessionId) !== undefined) throw sessionErrors.exists(sessionId);
    if (Object.keys(sessions).length >= limits.sessions) throw sessionErrors.tooMany(limits.sessions);
    sessions[sessionId] = row;
  }

  setAgentSessionId(sessionId: string, agentSessionId: string): void {
    const row = this.find(sessionId);
    if (row !== undefined) row.agentSessionId = agentSessionId;
  }

  /** Beside what was chosen before. */
  addChoices(sessionId: string, { mode, options }: SessionChoices): void {
    const row = this.find(sessionId);
    if (row === undefined) return;
    row.choices = {
      ...row.choices,
      ...(mode === undefined ? {} : { mode }),
      ...(options === undefined ? {} : { options: { ...row.choices?.options, ...options } }),
    };
  }

  /** Removes those that no agent has ever made: a start of one was cut off by the end of its process. */
  removeUnmade(): void {
    for (const [sessionId, { agentSessionId }] of Object.entries(this.#state().sessions))
      if (agentSessionId === undefined) this.remove(sessionId);
  }

  remove(sessionId: string): void {
    delete this.#state().sessions[sessionId];
  }

  list(): { readonly sessionId: string; readonly agent: string }[] {
    return Object.entries(this.#state().sessions).map(([sessionId, { agent }]) => ({ sessionId, agent }));
  }
}

/** May be a session's name. */
export function isSessionId(text: unknown): boolean {
  if (typeof text !== "string" || text === "" || text.length > limits.sessionIdLength) return false;
  // Halves of characters are all one text where they are stored.
  if (!text.isWellFormed()) return false;
  return text !== VM_STREAM && text !== "__proto__";
}
