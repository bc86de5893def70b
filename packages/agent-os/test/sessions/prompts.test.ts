/** Prompts that come twice, or that nobody knows the end of; and agents that have forgotten. */
import { type AgentOSConfig, agentOS } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { setup, setupTest, type TestScope } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { forgetful, loading, oblivious, resuming, scripted, timid, unresuming } from "../support/agents.ts";
import { failure, rejection } from "../support/errors.ts";

async function workspace(t: TestScope, config: AgentOSConfig = { agents: { scripted } }) {
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS(config) } }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession();
  return handle;
}

type Handle = Awaited<ReturnType<typeof workspace>>;

/** What happened in the session: the texts, and the names of everything else. */
async function story(handle: Handle): Promise<string[]> {
  const { events } = await handle.readHistory();
  return events.map(({ event }) => {
    if (!("sessionUpdate" in event)) return event.type;
    const text = "content" in event && event.content != null && "text" in event.content;
    return text ? String((event.content as { text: string }).text) : event.sessionUpdate;
  });
}

test("a prompt with a key reaches the agent once: while it runs, and when it is done, the key gives its result", async (t) => {
  const handle = await workspace(t);
  const prompt = { content: "stream 1", idempotencyKey: "k" };
  const results = await Promise.all([handle.prompt(prompt), handle.prompt(prompt)]);
  expect([...results, await handle.prompt(prompt)]).toEqual(Array(3).fill({ stopReason: "end_turn" }));
  expect(await story(handle)).toEqual(["stream 1", "1"]);
  await handle.prompt({ ...prompt, idempotencyKey: "other" });
  expect(await story(handle)).toHaveLength(4);
  for (const idempotencyKey of ["", "x".repeat(limits.sessionPromptKeyLength + 1)])
    expect(await rejection(handle.prompt({ content: "x", idempotencyKey }))).toBe("session.invalid");
});

test("a prompt with a key that the agent died of isn't given to it again; one that never reached an agent may try again", async (t) => {
  const handle = await workspace(t);
  const prompt = { content: "stream 1\nexit 3", idempotencyKey: "k" };
  expect(await rejection(handle.prompt(prompt))).toBe("agent.exited");
  const error = await failure(handle.prompt(prompt));
  expect([error.code, error.metadata]).toEqual([
    "prompt_uncertain",
    { sessionId: "main", idempotencyKey: "k", outcome: "agent.exited" },
  ]);
  const [running] = [handle.prompt({ content: "wait" })];
  expect(await rejection(handle.prompt({ content: "stream 1", idempotencyKey: "later" }))).toBe(
    "session.prompt_active",
  );
  await handle.cancelPrompt();
  await running;
  expect(await handle.prompt({ content: "stream 1", idempotencyKey: "later" })).toEqual({
    stopReason: "end_turn",
  });
});

test("killed in the middle of a prompt: the next life says so in the transcript, and doesn't repeat it", async () => {
  await using ground = await Ground.start({ workspace: agentOS({ agents: { scripted } }) });
  const handle = () => ground.client.workspace.getOrCreate(["a"]);
  const conn = handle().connect();
  await conn.openSession();
  const { promise: waiting, resolve } = Promise.withResolvers<void>();
  conn.on("sessionEvent", ({ sequence }) => sequence === 2 && resolve());
  conn.prompt({ content: "wait", idempotencyKey: "k" }).catch(() => undefined);
  await waiting;
  await ground.kill();
  expect(await story(handle())).toEqual(["wait", "waiting", "_prompt_interrupted"]);
  expect(await rejection(handle().prompt({ content: "wait", idempotencyKey: "k" }))).toBe(
    "session.prompt_uncertain",
  );
  await ground.kill();
  expect(await story(handle())).toHaveLength(3);
});

test("an agent that can't load its session is told the transcript, once, and the session says that it began anew", async () => {
  for (const [agent, reason] of [
    [scripted, { reason: "unsupported" }],
    [forgetful, { reason: "failed" }],
    [
      oblivious,
      { reason: "failed", message: expect.stringMatching(/session\/resume: .+; .+session\/load: /) },
    ],
  ] as const) {
    await using ground = await Ground.start({ workspace: agentOS({ agents: { agent } }) });
    const handle = () => ground.client.workspace.getOrCreate(["a"]);
    await handle().openSession();
    await handle().prompt({ content: "stream 2\nrun true" });
    await ground.restart();
    expect(await handle().openSession()).toMatchObject({ resumed: false });
    const { events } = await handle().readHistory();
    expect(events.at(-1)?.event).toMatchObject({ sessionUpdate: "_session_restarted", ...reason });
    await handle().prompt({ content: "recall" });
    const told = (await story(handle())).at(-1);
    expect(told).toMatch(/^This conversation goes on/);
    expect(told).toContain("User: stream 2\nrun true\n\nYou: 12\n\nTool: true\n\nYou: 0: ");
    await handle().prompt({ content: "recall" });
    expect((await story(handle())).at(-1)).toBe(told);
  }
});

test.each([
  ["load", loading],
  ["resume", resuming],
  ["load, having refused to resume,", unresuming],
] as const)("an agent that can %s its session goes on with it", async (_, agent) => {
  await using ground = await Ground.start({ workspace: agentOS({ agents: { agent } }) });
  const handle = () => ground.client.workspace.getOrCreate(["a"]);
  await handle().openSession();
  await handle().prompt({ content: "stream 1" });
  await ground.restart();
  expect(await handle().openSession()).toMatchObject({ resumed: true });
  await handle().prompt({ content: "recall" });
  expect(await story(handle())).toEqual(["stream 1", "1", "recall", "nothing"]);
});

test("modes and options: the agent's, with what is chosen; others are refused", async (t) => {
  const handle = await workspace(t);
  expect(await handle.getSessionConfig()).toMatchObject({
    modes: { currentModeId: "calm" },
    configOptions: [{ id: "depth", currentValue: "low" }],
  });
  await handle.setSessionMode({ modeId: "bold" });
  await handle.setSessionConfigOption({ configId: "depth", value: "high" });
  expect(await handle.getSessionConfig()).toMatchObject({
    modes: { currentModeId: "bold" },
    configOptions: [{ currentValue: "high" }],
  });
  expect(await rejection(handle.setSessionMode({ modeId: "none" }))).toBe("agent.refused");
  expect(await rejection(handle.setSessionConfigOption({ configId: "width", value: true }))).toBe(
    "agent.refused",
  );
  expect(await rejection(handle.setSessionMode({ modeId: "" }))).toBe("session.invalid");
});

test("what was chosen of a session is set again for an agent that begins anew, or the session says what isn't", async () => {
  await using ground = await Ground.start({ workspace: agentOS({ agents: { scripted, timid } }) });
  const handle = () => ground.client.workspace.getOrCreate(["a"]);
  const choose = async (sessionId: string) => {
    await handle().openSession({ sessionId, agent: sessionId });
    await handle().prompt({ sessionId, content: "stream 1" });
    await handle().setSessionMode({ sessionId, modeId: "bold" });
    await handle().setSessionConfigOption({ sessionId, configId: "depth", value: "high" });
  };
  const look = async (sessionId: string) => {
    const { modes, configOptions } = await handle().getSessionConfig({ sessionId });
    return [modes?.currentModeId, configOptions?.[0]?.currentValue];
  };
  const restarted = async (sessionId: string) => {
    const { events } = await handle().readHistory({ sessionId });
    return events
      .map(({ event }) => event)
      .findLast((event) => "sessionUpdate" in event && event.sessionUpdate === "_session_restarted");
  };
  await choose("scripted");
  // Its agent ends, and the next prompt starts another.
  await rejection(handle().prompt({ sessionId: "scripted", content: "exit 3" }));
  await handle().prompt({ sessionId: "scripted", content: "stream 1" });
  expect(await look("scripted")).toEqual(["bold", "high"]);
  expect(await restarted("scripted")).not.toHaveProperty("notSet");
  await choose("timid");
  await ground.restart();
  for (const sessionId of ["scripted", "timid"]) await handle().openSession({ sessionId });
  expect(await look("scripted")).toEqual(["bold", "high"]);
  expect(await look("timid")).toEqual(["calm", "high"]);
  expect(await restarted("timid")).toMatchObject({ reason: "unsupported", notSet: ["mode"] });
});

test("a history has pages in both directions, which say whether there is more", async (t) => {
  const handle = await workspace(t);
  await handle.prompt({ content: "stream 9" });
  const page = async (range: object) => {
    const { events, hasMoreBefore, hasMoreAfter } = await handle.readHistory(range);
    return [events.map(({ sequence }) => sequence).join(), hasMoreBefore, hasMoreAfter];
  };
  expect(await page({ limit: 3 })).toEqual(["8,9,10", true, false]);
  expect(await page({ before: 8, limit: 3 })).toEqual(["5,6,7", true, true]);
  expect(await page({ before: 3 })).toEqual(["1,2", false, true]);
  expect(await page({ after: 0, limit: 4 })).toEqual(["1,2,3,4", false, true]);
  expect(await page({ after: 8 })).toEqual(["9,10", true, false]);
  expect(await page({ after: 10 })).toEqual(["", true, false]);
  expect(await rejection(handle.readHistory({ before: 3, after: 1 }))).toBe("session.invalid");
});

test("prompts that come while a session is deleted start no agent, and leave nothing to the next session of that name", async (t) => {
  const handle = await workspace(t);
  const failures: string[] = [];
  let deleted = false;
  const underWay = failure(handle.prompt({ content: "wait" }));
  const prompting = (async () => {
    while (!deleted) failures.push(await rejection(handle.prompt({ content: "stream 1" })));
  })();
  const opened = handle.deleteSession().then(async () => {
    deleted = true;
    expect(await handle.listSessions()).toEqual([]);
    await handle.openSession();
  });
  await Promise.all([opened, prompting]);
  expect((await underWay).code).toBe("closed");
  expect(failures.filter((code) => !/^session\.(closed|not_found|prompt_active)$/.test(code))).toEqual([]);
  expect(await story(handle)).toEqual([]);
  expect(await handle.listSessions()).toHaveLength(1);
});

test("a deleted session is gone with its transcript; its name is free", async (t) => {
  const handle = await workspace(t);
  await handle.prompt({ content: "stream 1", idempotencyKey: "k" });
  await handle.deleteSession();
  expect(await handle.listSessions()).toEqual([]);
  expect(await rejection(handle.prompt({ content: "x" }))).toBe("session.not_found");
  await handle.openSession();
  expect(await story(handle)).toEqual([]);
  await handle.prompt({ content: "stream 1", idempotencyKey: "k" });
  expect(await story(handle)).toEqual(["stream 1", "1"]);
});

test("of a session's keys the last ones are remembered", async (t) => {
  const { Prompts, migratePrompts } = await import("../../src/sessions/prompts.ts");
  const { withDatabase } = await import("../support/database.ts");
  await withDatabase(t, async (database) => {
    await migratePrompts(database);
    const prompts = new Prompts(database);
    let delivered = 0;
    const run = (key: string) =>
      prompts.run("s", key, async (delivering) => {
        await delivering();
        delivered += 1;
        return { stopReason: "end_turn" };
      });
    for (let n = 0; n <= limits.sessionPromptKeys; n += 1) await run(`key ${n}`);
    await run(`key ${limits.sessionPromptKeys}`);
    await run("key 1");
    expect(delivered).toBe(limits.sessionPromptKeys + 1);
    await run("key 0");
    expect(delivered).toBe(limits.sessionPromptKeys + 2);
  });
});

test("what an activation left in the middle is found until it was told of, and once then", async (t) => {
  const { Prompts, migratePrompts } = await import("../../src/sessions/prompts.ts");
  const { withDatabase } = await import("../support/database.ts");
  await withDatabase(t, async (database) => {
    await migratePrompts(database);
    for (const key of ["key", undefined])
      await new Promise<void>((begun) => {
        const deliver = async (delivering: () => Promise<string>) => {
          await delivering();
          begun();
          return await new Promise<never>(() => undefined);
        };
        void new Prompts(database).run("s", key, deliver);
      });
    const told: string[] = [];
    const cutOff = async () => {
      throw new Error("killed");
    };
    await expect(new Prompts(database).recover(cutOff)).rejects.toThrow("killed");
    for (let round = 0; round < 2; round += 1)
      await new Prompts(database).recover(async ({ promptId }) => void told.push(promptId));
    expect([told.length, told[0]]).toEqual([2, "key"]);
  });
});
