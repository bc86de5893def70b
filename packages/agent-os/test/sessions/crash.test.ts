/** What becomes of sessions when the process is killed: real files, a real agent process, left as a kill leaves them. */
import { type AgentOSConfig, agentOS, type Entry, type PermissionQuestion } from "@troupe/agent-os";
import { expect, test } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { program, scripted } from "../support/agents.ts";
import { upTo } from "../support/reader.ts";

const start = (config: AgentOSConfig) => Ground.start({ workspace: agentOS(config) });

/** The whole transcript of a session. */
async function transcript(ground: Awaited<ReturnType<typeof start>>): Promise<Entry[]> {
  const handle = ground.client.workspace.getOrCreate(["a"]);
  const entries: Entry[] = [];
  for (let more = true; more; ) {
    const page = await handle.getSessionEvents({ sessionId: "main", after: entries.length });
    entries.push(...page.events);
    more = page.hasMore;
  }
  return entries;
}

test("S4.3 (in part): killed in the middle of a stream: all that was heard is stored, without a gap, and no number comes twice", async () => {
  await using ground = await start({ agents: { scripted } });
  for (const round of [1, 2]) {
    const conn = ground.client.workspace.getOrCreate(["a"]).connect();
    await conn.openSession({});
    await conn.ready;
    const before = await transcript(ground);
    const heard: Entry[] = [];
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    conn.on("sessionEvent", (entry) => {
      heard.push(entry);
      if (heard.length === 50 * round) resolve();
    });
    conn.prompt({ content: "stream 500\nwait" }).catch(() => undefined);
    await enough;
    const told = heard.slice();
    await ground.kill();
    const stored = await transcript(ground);
    expect(stored.map(({ sequence }) => sequence)).toEqual(upTo(stored.length));
    expect(stored.slice(0, before.length)).toEqual(before);
    expect(stored.slice(before.length, before.length + told.length)).toEqual(told);
  }
}, 60_000);

test("S4.3 (in part): after an orderly end and a new start the transcript is the same, and goes on", async () => {
  await using ground = await start({ agents: { scripted } });
  const prompt = async () => {
    const handle = ground.client.workspace.getOrCreate(["a"]);
    await handle.openSession({});
    await handle.prompt({ content: "stream 20" });
  };
  await prompt();
  const before = await transcript(ground);
  await ground.restart();
  expect(await transcript(ground)).toEqual(before);
  await prompt();
  const after = await transcript(ground);
  expect(after.slice(0, 21)).toEqual(before);
  expect(after.map(({ sequence }) => sequence)).toEqual(upTo(43));
}, 60_000);

test("a question that nobody had answered when the process was killed is refused in the transcript, before its prompt is called interrupted", async () => {
  await using ground = await start({ agents: { scripted }, permissions: "ask" });
  const conn = ground.client.workspace.getOrCreate(["a"]).connect();
  await conn.openSession({});
  const { promise: asked, resolve } = Promise.withResolvers<PermissionQuestion>();
  conn.on("permissionRequest", resolve);
  conn.prompt({ content: "ask" }).catch(() => undefined);
  const { requestId } = await asked;
  await ground.kill();
  const stored = await transcript(ground);
  expect(stored.slice(-2).map(({ event }) => event)).toMatchObject([
    { sessionUpdate: "_permission_response", requestId, outcome: "cancelled", reason: "session_ended" },
    { sessionUpdate: "_prompt_interrupted" },
  ]);
}, 60_000);

test("killed while a new session's agent starts: there is no session, and its name is free", async () => {
  const silent = program('process.stdin.resume(); console.error("thinking");');
  await using ground = await start({ agents: { silent, scripted } });
  const handle = () => ground.client.workspace.getOrCreate(["a"]);
  await handle().createSession({ sessionId: "made", agent: "scripted" });
  handle()
    .createSession({ sessionId: "n" })
    .catch(() => undefined);
  const names = async () => (await handle().listSessions()).map(({ sessionId }) => sessionId);
  await expect.poll(names, { timeout: 20_000 }).toEqual(["made", "n"]);
  // What was begun is on disk.
  await handle().writeFile("saved", "saved");
  await ground.kill();
  expect(await names()).toEqual(["made"]);
  expect((await handle().createSession({ sessionId: "n", agent: "scripted" })).sessionId).toBe("n");
}, 60_000);
