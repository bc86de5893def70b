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
import { checkOptions } from "../sandbox/arguments.ts";
import type { EntryRange, HistoryRange } from "../session-entry.ts";
import type { SessionOptions } from "../sessions/sessions.ts";
import { ToolCalls, type ToolRunner } from "../sessions/tool-calls.ts";
import type { Place } from "./place.ts";

/** The name of a session that is opened without one. */
const MAIN = "main";

/** Which session; "main" if none is named. */
export interface Named {
  readonly sessionId?: string;
}

/** The session's name. Throws for what isn't an option: who is used to another agentOS may send what nobody would look at. */
function sessionOf(action: string, options: Named, ...others: readonly string[]): string {
  checkOptions(action, options, ["sessionId", ...others]);
  return options.sessionId ?? MAIN;
}

const OPENING = ["agent", "cwd", "permissionPolicy"] as const satisfies readonly (keyof SessionOptions)[];

/** What is done with agents. */
export const sessionActions = {
  /** A new session; `session.exists` where there is one of this name. Its agent runs when this settles. */
  createSession: (c: Place, options: SessionOptions & Named = {}) => {
    checkOptions("createSession", options, ["sessionId", ...OPENING]);
    return c.vars.sessions.create(options.sessionId ?? crypto.randomUUID(), options);
  },
  /** The session of this name ("main" if none is given), created where there is none. */
  openSession: (c: Place, options: SessionOptions & Named = {}) =>
    c.vars.sessions.open(sessionOf("openSession", options, ...OPENING), options),
  /** Gives the agent a prompt; settles when its turn is over and all of it is in the transcript. */
  prompt: (
    c: Place & ToolRunner,
    options: Named & { content: PromptContent; idempotencyKey?: string | undefined },
  ) =>
    c.vars.sessions.prompt(
      sessionOf("prompt", options, "content", "idempotencyKey"),
      contentBlocks(options.content),
      checkKey(options.idempotencyKey),
      ToolCalls.of(c),
    ),
  cancelPrompt: (c: Place, options: Named = {}) => c.vars.sessions.cancel(sessionOf("cancelPrompt", options)),
  /** Answers an agent's question with one of its options. The first answer counts. */
  respondPermission: (c: Place, options: Named & { requestId: string; optionId: string }) =>
    c.vars.sessions.respondPermission(
      sessionOf("respondPermission", options, "requestId", "optionId"),
      options.requestId,
      options.optionId,
    ),
  /** The agent's modes and options, and which are chosen. Starts the agent if need be. */
  getSessionConfig: (c: Place, options: Named = {}) =>
    c.vars.sessions.config(sessionOf("getSessionConfig", options)),
  setSessionMode: (c: Place, options: Named & { modeId: string }) =>
    c.vars.sessions.setMode(
      sessionOf("setSessionMode", options, "modeId"),
      checkName("modeId", options.modeId),
    ),
  setSessionConfigOption: (c: Place, options: Named & { configId: string; value: string | boolean }) =>
    c.vars.sessions.setOption(
      sessionOf("setSessionConfigOption", options, "configId", "value"),
      checkName("configId", options.configId),
      options.value,
    ),
  getSession: (c: Place, options: Named = {}) => c.vars.sessions.get(sessionOf("getSession", options)),
  listSessions: (c: Place) => c.vars.sessions.list(),
  /** Ends the session's agent; the transcript stays, and the next prompt starts the agent again. */
  unloadSession: (c: Place, options: Named = {}) =>
    c.vars.sessions.unload(sessionOf("unloadSession", options)),
  /** Ends the session's agent, and forgets the session with its transcript. */
  deleteSession: (c: Place, options: Named = {}) =>
    c.vars.sessions.delete(sessionOf("deleteSession", options)),
  /** The names of the agents that a session may be with; the first is who a session without a name gets. */
  listAgents: (c: Place) => c.vars.sessions.agents,
  /** A session as a trajectory: ATIF 1.7. */
  getTrajectory: (c: Place, options: Named = {}) =>
    c.vars.sessions.trajectory(sessionOf("getTrajectory", options)),
  /** A page of a session's history: the newest, those `before` a sequence, or those `after` one. */
  readHistory: (c: Place, range: HistoryRange = {}) => c.vars.transcript.history(checkHistory(range, MAIN)),
  /** A part of a session's transcript, or with the session "vm" of what happened to the sandbox. */
  getSessionEvents: (c: Place, range: EntryRange) =>
    c.vars.transcript.page(checkRange(range, limits.sessionPageEvents)),
};
