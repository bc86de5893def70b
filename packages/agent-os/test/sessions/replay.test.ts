/** A session's events, live and from the transcript: a real server, a real agent process, real clients. */
import type { SessionEntry, VmEntry } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { lateLoading, loading, scripted } from "../support/agents.ts";
import { rejection } from "../support/errors.ts";
import { Reader, upTo } from "../support/reader.ts";
import { Serving } from "../support/serving.ts";

const EVENTS = 301;

test("S4.3: each event is stored, then broadcast, as one argument; a late and a reconnecting subscriber get all of them once and in order", async () => {
  await using serving = await Serving.start({ agents: { scripted } });
  const connect = async () => {
    const { client, cut } = await serving.client();
    return { conn: client.workspace.getOrCreate(["a"]).connect(), cut };
  };
  const [author, early, late, shaky] = [await connect(), await connect(), await connect(), await connect()];
  const live: unknown[][] = [];
  const reads: Promise<unknown>[] = [];
  early.conn.on("sessionEvent", (...args) => {
    live.push(args);
    // Whoever hears of an event finds it in the transcript.
    const [{ sessionId, sequence }] = args;
    reads.push(early.conn.getSessionEvents({ sessionId, after: sequence - 1, limit: 1 }));
  });
  const shakyReader = new Reader(shaky.conn, { sessionId: "main", after: 0 });
  await author.conn.openSession({});
  await early.conn.ready;
  const prompt = author.conn.prompt({ content: `stream ${EVENTS - 1}` });
  for (const place of [50, 120, 200]) {
    await shakyReader.reaches(place);
    shaky.cut();
  }
  const lateReader = new Reader(late.conn, { sessionId: "main", after: 0 });
  expect(await prompt).toEqual({ stopReason: "end_turn" });
  await Promise.all([lateReader.reaches(EVENTS), shakyReader.reaches(EVENTS)]);
  expect(lateReader.sequences).toEqual(upTo(EVENTS));
  expect(shakyReader.sequences).toEqual(upTo(EVENTS));
  expect(shakyReader.entries).toEqual(lateReader.entries);
  expect(live.map((args) => args.length)).toEqual(upTo(EVENTS).map(() => 1));
  expect(live.map(([entry]) => entry)).toEqual(lateReader.entries);
  expect((await Promise.all(reads)).map((page) => (page as { events: unknown[] }).events)).toEqual(live);
  expect(texts(lateReader).slice(1)).toEqual(upTo(EVENTS - 1).map(String));
}, 240_000);

test("S4.3 (in part): it holds over a session that is forgotten and another of its name: no number comes twice, and nothing of either is missed", async () => {
  await using serving = await Serving.start({ agents: { scripted } });
  const { client } = await serving.client();
  const conn = client.workspace.getOrCreate(["a"]).connect();
  await conn.openSession({});
  const open = new Reader(conn, { sessionId: "main" });
  await conn.prompt({ content: "stream 4" });
  await open.reaches(5);
  await conn.deleteSession({});
  expect((await conn.getSessionEvents({ sessionId: "main" })).events).toEqual([]);
  await serving.restart();
  await conn.openSession({});
  expect(await conn.readHistory()).toEqual({ events: [], hasMoreBefore: false, hasMoreAfter: false });
  await conn.prompt({ content: "stream 3" });
  await open.reaches(9);
  expect(open.sequences).toEqual(upTo(9));
  // Who was in the middle of the old one, or comes now, gets all that there is.
  for (const after of [0, 3, 5]) {
    const late = new Reader(conn, { sessionId: "main", after });
    await late.reaches(9);
    expect(late.entries).toEqual(open.entries.slice(5));
  }
  expect(await conn.readHistory({ after: 0 })).toMatchObject({ hasMoreBefore: false, hasMoreAfter: false });
  expect(await conn.readHistory({ after: 6 })).toMatchObject({ hasMoreBefore: true });
  expect((await conn.readHistory({ before: 8 })).events).toHaveLength(2);
  await conn.prompt({ content: "stream 1" });
  await open.reaches(11);
  expect(open.sequences).toEqual(upTo(11));
}, 240_000);

test("S4.3 (in part): it holds over a sleep: the transcript goes on where it was, and subscribers with it", async () => {
  await using serving = await Serving.start({ agents: { scripted } });
  const { client } = await serving.client();
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const reader = new Reader(conn, { sessionId: "main" });
  const vm = new Reader(conn, { sessionId: "vm" });
  await conn.openSession({});
  await conn.prompt({ content: "stream 3\nrun echo one" });
  await reader.reaches(7);
  await serving.restart();
  expect(await conn.getSession({})).toEqual({
    sessionId: "main",
    agent: "scripted",
    state: "unloaded",
    pendingPermissions: [],
  });
  await conn.prompt({ content: "stream 2\nrun echo two" });
  await reader.reaches(14);
  expect(reader.sequences).toEqual(upTo(14));
  expect(texts(reader)).toEqual([
    "stream 3\nrun echo one",
    ...["1", "2", "3", "tool_call", "tool_call_update", "0: one\n"],
    "_session_restarted",
    "stream 2\nrun echo two",
    ...["1", "2", "tool_call", "tool_call_update", "0: two\n"],
  ]);
  await vm.reaches(3);
  expect(vm.entries.map(({ event }) => event)).toEqual([
    { type: "vm_booted", driver: "embedded" },
    { type: "vm_shutdown", reason: "sleep" },
    { type: "vm_booted", driver: "embedded" },
  ]);
}, 240_000);

test("an agent that can load gets its session back; what it replays meanwhile, or right behind, is not told twice", async () => {
  await using serving = await Serving.start({ agents: { loading, lateLoading } });
  const { client } = await serving.client();
  const handle = client.workspace.getOrCreate(["a"]);
  const sessions = ["loading", "lateLoading"];
  const told = { resumed: false, agentInfo: { name: "scripted" } };
  for (const agent of sessions) {
    expect(await handle.openSession({ sessionId: agent, agent })).toMatchObject(told);
    await handle.prompt({ sessionId: agent, content: "stream 1" });
  }
  await serving.restart();
  for (const sessionId of sessions) {
    expect(await handle.openSession({ sessionId })).toMatchObject({ resumed: true });
    await handle.prompt({ sessionId, content: "stream 1" });
    const { events, hasMore } = await handle.getSessionEvents({ sessionId });
    expect([events.map(({ sequence }) => sequence), hasMore]).toEqual([upTo(4), false]);
  }
}, 240_000);

test("S4.3 (in part): vmBooted and vmShutdown are stored, then broadcast, as one argument", async () => {
  await using serving = await Serving.start({});
  const { client } = await serving.client();
  const handle = client.workspace.getOrCreate(["a"]);
  const conn = handle.connect();
  const heard: unknown[] = [];
  const { promise: down, resolve } = Promise.withResolvers<VmEntry>();
  conn.on("vmBooted", (...args) => void heard.push(args));
  conn.on("vmShutdown", (...args) => {
    heard.push(args);
    resolve(args[0]);
  });
  await conn.exec("true");
  const stopped = serving.restart();
  await down;
  await stopped;
  const { events } = await handle.getSessionEvents({ sessionId: "vm" });
  expect(heard).toEqual(events.map((entry) => [entry]));
  expect(events).toEqual([
    { sessionId: "vm", event: { type: "vm_booted", driver: "embedded" }, sequence: 1 },
    { sessionId: "vm", event: { type: "vm_shutdown", reason: "sleep" }, sequence: 2 },
  ]);
}, 240_000);

test("S4.2: 1,000 connections back to back that subscribe and prompt in one tick, over real sockets: every event arrives", async () => {
  await using serving = await Serving.start({ agents: { scripted } });
  const { client } = await serving.client();
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession({});
  const missed: number[] = [];
  for (let n = 0; n < 1_000; n += 1) {
    const conn = handle.connect();
    const heard: number[] = [];
    conn.on("sessionEvent", ({ sequence }) => void heard.push(sequence));
    await conn.prompt({ content: "stream 1" });
    if (heard.join() !== `${2 * n + 1},${2 * n + 2}`) missed.push(n);
    await conn.dispose();
  }
  expect(missed).toEqual([]);
}, 240_000);

test("history comes in pages, bounded by number and by bytes", async () => {
  await using serving = await Serving.start({ agents: { scripted } });
  const { client } = await serving.client();
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession({ sessionId: "s" });
  await handle.prompt({ sessionId: "s", content: `stream ${limits.sessionPageEvents}` });
  const first = await handle.getSessionEvents({ sessionId: "s" });
  expect([first.events.length, first.hasMore]).toEqual([limits.sessionPageEvents, true]);
  const rest = await handle.getSessionEvents({ sessionId: "s", after: limits.sessionPageEvents, limit: 1 });
  expect([rest.events.map(({ sequence }) => sequence), rest.hasMore]).toEqual([
    [limits.sessionPageEvents + 1],
    false,
  ]);
  const large = { type: "text" as const, text: "x".repeat(limits.sessionPageBytes) };
  await handle.prompt({ sessionId: "s", content: [large, large] });
  const { events } = await handle.getSessionEvents({ sessionId: "s", after: limits.sessionPageEvents + 1 });
  expect(events.map(({ sequence }) => sequence)).toEqual([limits.sessionPageEvents + 2]);
  for (const range of [{ after: -1 }, { after: 0.5 }, { limit: 0 }, { limit: limits.sessionPageEvents + 1 }])
    expect(await rejection(handle.getSessionEvents({ sessionId: "s", ...range }))).toBe("session.invalid");
}, 240_000);

function texts(reader: Reader): string[] {
  return reader.entries.map((entry) => {
    const { event } = entry as SessionEntry;
    if (!("content" in event) || Array.isArray(event.content)) return event.sessionUpdate;
    return event.content?.type === "text" ? event.content.text : event.sessionUpdate;
  });
}
