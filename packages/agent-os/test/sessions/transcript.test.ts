/** The table of a session's events. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { Transcript } from "../../src/sessions/transcript.ts";
import { withDatabase } from "../support/database.ts";
import { upTo } from "../support/reader.ts";

async function read(transcript: Transcript, sessionId: string, after: number, limit: number) {
  const { events, hasMore } = await transcript.page({ sessionId, after, limit });
  return [events.map(({ sequence }) => sequence), events.map(({ event }) => event as unknown), hasMore];
}

test("a transcript gives any part of any stream, and forgets one alone", async (t) => {
  await withDatabase(t, async (database) => {
    const transcript = new Transcript(database);
    for (const n of upTo(100)) {
      await transcript.append("a", n);
      if (n <= 20) await transcript.append("b", n);
    }
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
      expect(await read(transcript, "a", after, limit)).toEqual([expected, expected, after + limit < 100]);
    }
    await transcript.remove("a");
    expect(await read(transcript, "a", 0, 5)).toEqual([[], [], false]);
    expect(await read(transcript, "b", 18, 5)).toEqual([[19, 20], [19, 20], false]);
    expect(await transcript.append("b", 21)).toBe(21);
  });
});

test("a session may have more events than a state has room for: the last ones are as near as the first", async (t) => {
  const total = 70_000;
  await withDatabase(t, async (database) => {
    const transcript = new Transcript(database);
    for (let n = 1; n <= total; n += 1) await transcript.append("a", n);
    expect(await read(transcript, "a", 0, 2)).toEqual([[1, 2], [1, 2], true]);
    expect(await read(transcript, "a", 65_536, 2)).toEqual([[65_537, 65_538], [65_537, 65_538], true]);
    expect(await read(transcript, "a", total - 1, 2)).toEqual([[total], [total], false]);
    const plans = await database.execute<{ detail: string }>(
      "EXPLAIN QUERY PLAN SELECT max(sequence) FROM session_events WHERE session_id = 'a'",
    );
    expect(plans.map(({ detail }) => detail)).toEqual([expect.stringContaining("USING PRIMARY KEY")]);
  });
}, 60_000);

test("a second event of the same number is refused by the table", async (t) => {
  await withDatabase(t, async (database) => {
    const transcript = new Transcript(database);
    await transcript.append("a", "first");
    const again = database.execute("INSERT INTO session_events VALUES ('a', 1, '\"second\"')");
    await expect(again).rejects.toThrow(/UNIQUE constraint failed/);
    expect(await read(transcript, "a", 0, 5)).toEqual([[1], ["first"], false]);
    expect(await transcript.append("a", "second")).toBe(2);
  });
});

test("an event that is larger than one statement takes is stored whole, or not at all", async (t) => {
  await withDatabase(t, async (database) => {
    const transcript = new Transcript(database);
    // Two, three and four bytes a character, shifted so that pieces would end inside of a pair.
    for (const text of ["é", "…", "😀"].flatMap((letter) => [letter, `a${letter}`]))
      await transcript.append("a", text.slice(0, 1) + text.repeat(limits.agentMessageBytes / 4));
    const { events } = await transcript.page({ sessionId: "a", after: 5, limit: 1 });
    const letters = `a${"a😀".repeat(limits.agentMessageBytes / 4)}`;
    expect(events.map(({ event }) => (event as unknown) === letters)).toEqual([true]);
    for (const after of [0, 1, 2, 3, 4, 5])
      expect((await read(transcript, "a", after, 256))[0]).toEqual([after + 1]);
    const whole = database.transaction(async () => {
      await transcript.append("a", "x".repeat(limits.sqlBoundBytes));
      throw new Error("it is given up");
    });
    await expect(whole).rejects.toThrow("it is given up");
    expect(await transcript.append("a", "next")).toBe(7);
  });
}, 60_000);
