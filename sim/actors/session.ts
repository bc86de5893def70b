/**
 * Sessions in the simulated world. The log, the transcript and the reader are the production's; in an agent's place is an action that
 * says one thing after the other, or all of them at once.
 */
import type { ActorContext } from "@troupe/runtime";
import { event } from "@troupe/runtime";
import type { EntryRange, SessionEntry } from "../../packages/agent-os/src/session-entry.ts";
import { EventLog } from "../../packages/agent-os/src/sessions/event-log.ts";
import { Transcript } from "../../packages/agent-os/src/sessions/transcript.ts";
import { markOf } from "../checkers/tokens.ts";
import type { Stage } from "./stage.ts";

/** The session that everybody follows. */
export const SESSION = "main";
/** A page is soon full. */
const PAGE = 3;

/** What a session's actor tells. */
export const sessionEvents = { sessionEvent: event<SessionEntry>() };

type Place = Pick<ActorContext, "db"> & {
  readonly vars: object;
  broadcast(name: "sessionEvent", entry: SessionEntry): void;
};

/** The one writer of each activation. */
const logs = new WeakMap<object, EventLog>();

/** The actions of a session. */
export function sessionActions(stage: Stage) {
  return {
    /** Says `updates` things, with a pause between any two; without one, all at once. */
    say: async (c: Place, token: string, updates: number, pauseMs: number) => {
      const said: Promise<void>[] = [];
      for (let update = 0; update < updates; update += 1) {
        if (update > 0 && pauseMs > 0) await stage.sleep(pauseMs);
        const content = { type: "text" as const, text: markOf(token, update) };
        said.push(logOf(c).session(SESSION, { sessionUpdate: "agent_message_chunk", content }));
      }
      await Promise.all(said);
    },
    getSessionEvents: (c: Place, { sessionId, after = 0 }: EntryRange) =>
      new Transcript(c.db).page({ sessionId, after, limit: PAGE }),
  };
}

function logOf(c: Place): EventLog {
  const known = logs.get(c.vars);
  if (known !== undefined) return known;
  const tell = (...[name, entry]: [name: string, entry: unknown]): void => {
    // Only sessions are told of here.
    if (name === "sessionEvent") c.broadcast(name, entry as SessionEntry);
  };
  const log = new EventLog(new Transcript(c.db), { broadcast: tell });
  logs.set(c.vars, log);
  return log;
}
