/** Stored, then told, one after the other. */

import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import type { Entry } from "../../src/session-entry.ts";
import { EventLog } from "../../src/sessions/event-log.ts";
import { SessionTable } from "../../src/sessions/session-table.ts";
import { Transcript, type TranscriptState } from "../../src/sessions/transcript.ts";
import { rejection } from "../support/errors.ts";
import { upTo } from "../support/reader.ts";

/** A transcript whose appends are held, and a story of what happened. */
class HeldTranscript extends Transcript {
  readonly story: string[];
  failing = false;

  constructor(story: string[]) {
    const state: TranscriptState = { lastSequences: {} };
    super(() => state);
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

test("S4.3 (in part): an event is told behind its append, in order; one that can't be stored is told to nobody", async () => {
  const story: string[] = [];
  const transcript = new HeldTranscript(story);
  const log = new EventLog(transcript, {
    broadcast: (name: string, entry: Entry) => void story.push(`${name} ${entry.sequence}`),
  });
  await Promise.all([log.session("s", chunk), log.session("s", chunk)]);
  transcript.failing = true;
  await expect(log.session("s", chunk)).rejects.toThrow("the disk is full");
  transcript.failing = false;
  void log.session("s", chunk);
  await log.settled();
  expect(story).toEqual([1, 2, 3].flatMap((n) => [`stored ${n}`, `sessionEvent ${n}`]));
});

test("a transcript gives any part of any stream, and forgets one alone", async () => {
  const state: TranscriptState = { lastSequences: {} };
  const transcript = new Transcript(() => state);
  for (const n of upTo(100)) {
    await transcript.append("a", n);
    if (n <= 20) await transcript.append("b", n);
  }
  const read = async (sessionId: string, after: number, limit: number) => {
    const { events, hasMore } = await transcript.page({ sessionId, after, limit });
    return [events.map(({ sequence }) => sequence), events.map(({ event }) => event as unknown), hasMore];
  };
  for (const [after, limit] of [
    [0, 5],
    [14, 4],
    [15, 1],
    [0, 100],
    [90, 256],
    [100, 5],
    [200, 5],
  ] as const) {
    const expected = upTo(100).slice(after, after + limit);
    expect(await read("a", after, limit)).toEqual([expected, expected, after + limit < 100]);
  }
  await transcript.remove("a");
  expect(await read("a", 0, 5)).toEqual([[], [], false]);
  expect(await read("b", 18, 5)).toEqual([[19, 20], [19, 20], false]);
  expect(await transcript.lastSequence("b")).toBe(20);
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
