/** Sessions, for callers. */
import { limits } from "@troupe/protocol";
import {
  checkHistory,
  checkKey,
  checkName,
  checkRange,
  contentBlocks,
  type PromptContent,
} from "../arguments.ts";
import type { EntryRange, HistoryRange } from "../session-entry.ts";
import type { SessionOptions } from "../sessions/sessions.ts";
import { ToolCalls, type ToolRunner } from "../sessions/tool-calls.ts";
import type { Place } from "./place.ts";

/** The name of a session that is opened without one. */
const MAIN = "main";

/** What is done with agents. */
export const sessionActions = {
  /** A new session; `session.exists` where there is one of this name. Its agent runs when this settles. */
  createSession: (c: Place, options: SessionOptions & { sessionId?: string } = {}) =>
    c.vars.sessions.create(options.sessionId ?? crypto.randomUUID(), options),
  /** The session of this name ("main" if none is given), created where there is none. */
  openSession: (c: Place, options: SessionOptions & { sessionId?: string } = {}) =>
    c.vars.sessions.open(options.sessionId ?? MAIN, options),
  /** Gives the agent a prompt; settles when its turn is over and all of it is in the transcript. */
  prompt: (
    c: Place & ToolRunner,
    options: { sessionId?: string; content: PromptContent; idempotencyKey?: string | undefined },
  ) =>
    c.vars.sessions.prompt(
      options.sessionId ?? MAIN,
      contentBlocks(options.content),
      checkKey(options.idempotencyKey),
      ToolCalls.of(c),
    ),
  cancelPrompt: (c: Place, options: { sessionId?: string } = {}) =>
    c.vars.sessions.cancel(options.sessionId ?? MAIN),
  /** Answers an agent's question with one of its options. The first answer counts. */
  respondPermission: (c: Place, options: { sessionId?: string; requestId: string; optionId: string }) =>
    c.vars.sessions.respondPermission(options.sessionId ?? MAIN, options.requestId, options.optionId),
  /** The agent's modes and options, and which are chosen. Starts the agent if need be. */
  getSessionConfig: (c: Place, options: { sessionId?: string } = {}) =>
    c.vars.sessions.config(options.sessionId ?? MAIN),
  setSessionMode: (c: Place, options: { sessionId?: string; modeId: string }) =>
    c.vars.sessions.setMode(options.sessionId ?? MAIN, checkName("modeId", options.modeId)),
  setSessionConfigOption: (
    c: Place,
    options: { sessionId?: string; configId: string; value: string | boolean },
  ) =>
    c.vars.sessions.setOption(
      options.sessionId ?? MAIN,
      checkName("configId", options.configId),
      options.value,
    ),
  getSession: (c: Place, options: { sessionId?: string } = {}) =>
    c.vars.sessions.get(options.sessionId ?? MAIN),
  listSessions: (c: Place) => c.vars.sessions.list(),
  /** Ends the session's agent; the transcript stays, and the next prompt starts the agent again. */
  unloadSession: (c: Place, options: { sessionId?: string } = {}) =>
    c.vars.sessions.unload(options.sessionId ?? MAIN),
  /** Ends the session's agent, and forgets the session with its transcript. */
  deleteSession: (c: Place, options: { sessionId?: string } = {}) =>
    c.vars.sessions.delete(options.sessionId ?? MAIN),
  /** The names of the agents that a session may be with; the first is who a session without a name gets. */
  listAgents: (c: Place) => c.vars.sessions.agents,
  /** A session as a trajectory: ATIF 1.7. */
  getTrajectory: (c: Place, options: { sessionId?: string } = {}) =>
    c.vars.sessions.trajectory(options.sessionId ?? MAIN),
  /** A page of a session's history: the newest, those `before` a sequence, or those `after` one. */
  readHistory: (c: Place, range: HistoryRange = {}) => c.vars.transcript.history(checkHistory(range, MAIN)),
  /** A part of a session's transcript, or with the session "vm" of what happened to the sandbox. */
  getSessionEvents: (c: Place, range: EntryRange) =>
    c.vars.transcript.page(checkRange(range, limits.sessionPageEvents)),
};
