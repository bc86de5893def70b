/** Stored, then told, one after the other. */

import { limits } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";
import { expect, test } from "vitest";
import { EventLog } from "../../src/sessions/event-log.ts";
import { SessionTable } from "../../src/sessions/session-table.ts";
import { Transcript } from "../../src/sessions/transcript.ts";
import { withDatabase } from "../support/database.ts";
import { rejection } from "../support/errors.ts";

/** A transcript whose appends are held, and a story of what happened. */
class HeldTranscript extends Transcript {
  readonly story: string[];
  failing = false;

  constructor(database: Database, story: string[]) {
    super(database);
    this.story = story;
  }

  override async append(stream: string, event: unknown): Promise<number> {
    await new Promise((resolve) => void setImmediate(resolve));
    if (this.failing) throw new Error("the disk is full");
    const sequence = await super.append(stream, event);
    this.story.push(`stored ${sequence}`);
    return sequence;
  }
}

const chunk = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: "a" } } as const;

test("S4.3 (in part): an event is told behind its append, in order; one that can't be stored is told to nobody", async (t) => {
  const story: string[] = [];
  await withDatabase(t, async (database) => {
    const transcript = new HeldTranscript(database, story);
    const log = new EventLog(transcript, {
      broadcast: (name: string, entry: object) =>
        void story.push(`${name} ${"sequence" in entry ? entry.sequence : ""}`),
    });
    await Promise.all([log.session("s", chunk), log.session("s", chunk)]);
    transcript.failing = true;
    await expect(log.session("s", chunk)).rejects.toThrow("the disk is full");
    transcript.failing = false;
    void log.session("s", chunk);
    await log.settled();
  });
  expect(story).toEqual([1, 2, 3].flatMap((n) => [`stored ${n}`, `sessionEvent ${n}`]));
});

test("sessions have a limit", async () => {
  const state = { sessions: {} };
  const table = new SessionTable(() => state);
  const row = { agent: "a", cwd: "/", agentSessionId: undefined };
  for (let n = 0; n < limits.sessions; n += 1) table.add(`s${n}`, row);
  expect(await rejection((async () => table.add("one more", row))())).toBe("session.too_many");
  table.remove("s0");
  table.add("one more", row);
});
