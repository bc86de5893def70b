/** Sessions with real agent processes: what they may do, and what becomes of those that go wrong. */
import { type AgentOSConfig, agentOS } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { setup, setupTest, type TestScope } from "@troupe/runtime";
import { expect, test } from "vitest";
import { program, scripted } from "../support/agents.ts";
import { failure, rejection } from "../support/errors.ts";
import { Reader } from "../support/reader.ts";

async function workspace(t: TestScope, config: AgentOSConfig) {
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS(config) } }));
  return client.workspace.getOrCreate(["a"]);
}

type Workspace = Awaited<ReturnType<typeof workspace>>;

/** The texts of a session's agent, in order. */
async function said(handle: Workspace, sessionId = "main"): Promise<string[]> {
  const { events } = await handle.getSessionEvents({ sessionId });
  return events.flatMap(({ event }) => {
    if (!("sessionUpdate" in event) || event.sessionUpdate !== "agent_message_chunk") return [];
    return event.content.type === "text" ? [event.content.text] : [];
  });
}

test("an agent works in the sandbox: it reads, writes and runs commands there, and the host's files aren't there", async (t) => {
  const handle = await workspace(t, { agents: { scripted } });
  await handle.writeFile("/home/user/in.txt", "one\ntwo\n");
  await handle.openSession({});
  const content =
    "read /home/user/in.txt\nwrite /home/user/sub/out.txt some text\nrun cat in.txt sub/out.txt; exit 4";
  expect(await handle.prompt({ content })).toEqual({ stopReason: "end_turn" });
  expect(await said(handle)).toEqual(["one\ntwo\n", "4: one\ntwo\nsome text"]);
  await handle.prompt({ content: `read ${import.meta.filename}` });
  expect((await said(handle)).at(-1)).toMatch(/^could not read: /);
});

test("permissions: a policy decides; without one, and when it fails or lies, the answer is no", async (t) => {
  const ask = async (config: AgentOSConfig) => {
    const handle = await workspace(t, { agents: { scripted }, ...config });
    await handle.openSession({});
    await handle.prompt({ content: "ask" });
    return await said(handle);
  };
  const asked: unknown[] = [];
  expect(await ask({})).toEqual(["no"]);
  expect(await ask({ permissions: "allow_all" })).toEqual(["yes"]);
  expect(await ask({ permissions: "reject_all" })).toEqual(["no"]);
  expect(
    await ask({
      permissions: ({ toolCall }) => {
        asked.push(toolCall.title);
        return "allow";
      },
    }),
  ).toEqual(["yes"]);
  expect(asked).toEqual(["something dangerous"]);
  const broken = () => {
    throw new Error("a bug");
  };
  expect(await ask({ permissions: broken })).toEqual(["no"]);
});

test("a prompt is cancelled; two at once are refused; sessions don't share an agent", async (t) => {
  const handle = await workspace(t, { agents: { scripted } });
  const conn = handle.connect();
  await Promise.all([conn.openSession({ sessionId: "one" }), conn.openSession({ sessionId: "two" })]);
  const { promise: waiting, resolve } = Promise.withResolvers<void>();
  conn.on("sessionEvent", ({ sequence }) => sequence === 2 && resolve());
  const prompt = conn.prompt({ sessionId: "one", content: "wait" });
  await waiting;
  expect(await rejection(conn.prompt({ sessionId: "one", content: "stream 1" }))).toBe(
    "session.prompt_active",
  );
  expect(await conn.prompt({ sessionId: "two", content: "stream 1" })).toEqual({ stopReason: "end_turn" });
  expect((await conn.listSessions()).map(({ sessionId, state }) => `${sessionId} ${state}`)).toEqual([
    "one running",
    "two idle",
  ]);
  expect(await conn.cancelPrompt({ sessionId: "one" })).toBe("cancelled");
  expect(await prompt).toEqual({ stopReason: "cancelled" });
  expect(await conn.cancelPrompt({ sessionId: "one" })).toBe("no_active_prompt");
  const [early, cancelled] = [
    conn.prompt({ sessionId: "one", content: "wait" }),
    conn.cancelPrompt({ sessionId: "one" }),
  ];
  expect([await early, await cancelled]).toEqual([{ stopReason: "cancelled" }, "cancelled"]);
  await conn.unloadSession({ sessionId: "one" });
  expect((await conn.getSession({ sessionId: "one" })).state).toBe("unloaded");
  await conn.dispose();
});

test("what isn't an option of a session is refused by name: nobody would look at it", async (t) => {
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS({ agents: { scripted } }) } }));
  const handle = client.workspace.getOrCreate(["a"]);
  // As another agentOS had them.
  const wrongs: readonly [action: string, args: readonly unknown[]][] = [
    ["createSession", ["scripted", { cwd: "/" }]],
    ["createSession", [{ mcpServers: [] }]],
    ["openSession", [{ session: "main" }]],
    ["prompt", ["main", "hello"]],
    ["respondPermission", ["main", "request", "once"]],
    ["cancelPrompt", ["main"]],
    ["setSessionMode", [{ modeId: "bold", sessionID: "main" }]],
    ["getSession", [null]],
  ];
  for (const [name, args] of wrongs)
    expect(await rejection(handle.action({ name, args: [...args] })), name).toMatch(
      /^sandbox\.(invalid_argument|unknown_option)$/,
    );
  expect(await handle.listSessions()).toEqual([]);
});

test("sessions have names: one twice, none, the sandbox's own and other agents' are refused", async (t) => {
  const handle = await workspace(t, { agents: { scripted, other: scripted } });
  const { sessionId } = await handle.createSession({ agent: "other" });
  expect(await handle.getSession({ sessionId })).toMatchObject({ agent: "other", state: "idle" });
  expect(await rejection(handle.createSession({ sessionId }))).toBe("session.exists");
  expect(await rejection(handle.openSession({ sessionId, agent: "scripted" }))).toBe("session.other_agent");
  for (const bad of ["", "vm", "__proto__", "x".repeat(limits.sessionIdLength + 1), "half\ud800"])
    expect(await rejection(handle.createSession({ sessionId: bad }))).toBe("session.invalid_id");
  expect(await rejection(handle.prompt({ sessionId: "none", content: "x" }))).toBe("session.not_found");
  expect(await rejection(handle.openSession({ agent: "nobody" }))).toBe("agent.unknown");
  for (const content of [
    [],
    [5],
    [{ text: "no type" }],
    [{ type: "text" }],
    [{ type: "nope", text: "a" }],
    undefined,
  ]) {
    const call = { name: "prompt", args: [{ sessionId, content }] };
    expect(await rejection(handle.action(call))).toBe("session.invalid");
  }
});

test("an agent that ends in the middle of a turn: its last words are in the error, the session goes on", async (t) => {
  const handle = await workspace(t, { agents: { scripted } });
  await handle.openSession({});
  const error = await failure(
    handle.prompt({ content: "stream 2\nwhisper out of memory\nexit 3\nstream 9" }),
  );
  expect([error.group, error.code, error.metadata]).toEqual([
    "agent",
    "exited",
    { code: 3, signal: null, stderr: "out of memory\n" },
  ]);
  expect((await handle.getSession({})).state).toBe("unloaded");
  expect(await handle.prompt({ content: "stream 1" })).toEqual({ stopReason: "end_turn" });
  expect(await said(handle)).toEqual(["1", "2", "1"]);
  const { events } = await handle.getSessionEvents({ sessionId: "main" });
  expect(events.map(({ event }) => "sessionUpdate" in event && event.sessionUpdate)).toEqual([
    "user_message_chunk",
    "agent_message_chunk",
    "agent_message_chunk",
    "_prompt_interrupted",
    "_session_restarted",
    "user_message_chunk",
    "agent_message_chunk",
  ]);
});

const hello = `process.stdin.on("data", (line) => {
  const { id, method } = JSON.parse(line);
  const result = method === "initialize" ? { protocolVersion: VERSION } : { sessionId: "s", stopReason: "end_turn" };
  console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
});`;

const broken = {
  "exits at once": program('process.stderr.write("no key\\n"); process.exitCode = 2;'),
  "writes garbage for ever": program('setInterval(() => console.log("{garbage"), 1); console.error("help");'),
  "writes one endless line": program(
    `const x = "x".repeat(65536); const more = () => process.stdout.write(x, more); more();`,
  ),
  "never answers": program('process.stdin.resume(); console.log("starting"); console.error("thinking");'),
  "closes its stdout": program(
    'import { closeSync } from "node:fs"; closeSync(1); setInterval(() => {}, 1000);',
  ),
  "stops listening": program(`import { closeSync, readSync } from "node:fs";
    const line = Buffer.alloc(65536);
    const { id } = JSON.parse(line.subarray(0, readSync(0, line)));
    closeSync(0);
    console.log(JSON.stringify({ jsonrpc: "2.0", id, result: { protocolVersion: 1 } }));
    setInterval(() => {}, 1000);`),
  "speaks a newer protocol": program(hello.replace("VERSION", "99")),
  "speaks a version that is a text": program(hello.replace("VERSION", '"1"')),
  "isn't there": { command: "/nowhere/agent" },
  "starts in no directory": { ...scripted, cwd: "/nowhere" },
};

test.each([
  ["exits at once", "agent.exited", { code: 2, signal: null, stderr: "no key\n" }],
  ["writes garbage for ever", "agent.not_acp", { line: "{garbage", stderr: "help\n" }],
  ["writes one endless line", "agent.message_too_long", { limit: limits.agentMessageBytes, stderr: "" }],
  ["never answers", "agent.start_timed_out", { timeoutMs: 2_000, stderr: "thinking\n", noise: "starting" }],
  ["closes its stdout", "agent.exited", { code: null, signal: "SIGTERM", stderr: "" }],
  ["stops listening", "agent.exited", { code: null, signal: "SIGTERM", stderr: "" }],
  ["speaks a newer protocol", "agent.protocol_version", { found: 99, supported: 1, stderr: "" }],
  ["speaks a version that is a text", "agent.protocol_version", { found: "1", supported: 1, stderr: "" }],
  ["isn't there", "agent.spawn_failed", { command: "/nowhere/agent" }],
  ["starts in no directory", "agent.spawn_failed", { command: scripted.command }],
] as const)("an agent that %s is %s, and the actor lives on", async (name, code, metadata) => {
  // The time-out is for the one that never answers; the others must have failed before.
  const agentStartTimeoutMs = name === "never answers" ? 2_000 : 30_000;
  await using world = new Scope();
  const handle = await workspace(world, { agents: { broken: broken[name], scripted }, agentStartTimeoutMs });
  const error = await failure(handle.openSession({ agent: "broken" }));
  expect([`${error.group}.${error.code}`, error.metadata]).toEqual([code, metadata]);
  if ("found" in metadata) expect(error.message).toContain(`ACP ${JSON.stringify(metadata.found)}, not 1`);
  if (name === "starts in no directory") expect(error.message).toContain("/nowhere, is no directory");
  expect(await handle.listSessions()).toEqual([]);
  expect((await handle.exec("echo alive")).stdout).toBe("alive\n");
});

test("chatter on an agent's stdout does no harm; of its stderr the end is kept", async (t) => {
  const chatty = program(`
    console.log("npm warn something");
    console.log(JSON.stringify({ not: "a message" }));
    process.stderr.write("x".repeat(${2 * limits.agentStderrBytes}) + "the end");
    ${hello.replace("VERSION", "1")}
    process.stdin.on("data", (line) => JSON.parse(line).method === "session/prompt" && process.exit(1));`);
  const handle = await workspace(t, { agents: { chatty } });
  await handle.openSession({});
  const error = await failure(handle.prompt({ content: "x" }).then(() => handle.prompt({ content: "x" })));
  const stderr = String(error.metadata?.stderr);
  expect([error.code, stderr.length, stderr.endsWith("xthe end")]).toEqual([
    "exited",
    limits.agentStderrBytes,
    true,
  ]);
});

test("an update right behind the answer that makes the session is in the transcript", async (t) => {
  const eager = program(`process.stdin.on("data", (lines) => {
    for (const line of String(lines).trim().split("\\n")) {
      const { id, method } = JSON.parse(line);
      const result = method === "initialize" ? { protocolVersion: 1 } : { sessionId: "s" };
      const update = { sessionUpdate: "a_kind_of_tomorrow", text: "hello" };
      const notice = { jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update } };
      const lines = [{ jsonrpc: "2.0", id, result }, ...(method === "session/new" ? [notice, notice] : [])];
      process.stdout.write(lines.map((line) => JSON.stringify(line) + "\\n").join(""));
    }
  });`);
  const handle = await workspace(t, { agents: { eager } });
  const conn = handle.connect();
  const reader = new Reader(conn, { sessionId: "main" });
  await conn.openSession({});
  await reader.reaches(2);
  const event = { sessionUpdate: "a_kind_of_tomorrow", text: "hello" };
  expect(reader.entries).toEqual([1, 2].map((sequence) => ({ sessionId: "main", event, sequence })));
  await conn.dispose();
});

/** The end of a test that `test.each` gives no context for. */
class Scope implements AsyncDisposable {
  readonly #ends: (() => Promise<void>)[] = [];

  onTestFinished(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end();
  }
}
