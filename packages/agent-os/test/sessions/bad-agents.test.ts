/** Agents that go wrong in the middle of a turn: what they said before is kept, why they ended is told, the session goes on. */
import { type AgentCommand, type AgentOSConfig, agentOS } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { setup, setupTest, type TestScope } from "@troupe/runtime";
import { expect, test } from "vitest";
import { program } from "../support/agents.ts";
import { failure } from "../support/errors.ts";

/** A program that speaks ACP by hand; on a prompt with "wrong" it does `wrong`, which may `say`, `answer` and `end`. */
function agent(wrong: string): AgentCommand {
  return program(`import { createInterface } from "node:readline";
    const message = (body) => JSON.stringify({ jsonrpc: "2.0", ...body });
    const chunk = (text) => ({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: String(text) } });
    const say = (text) => message({ method: "session/update", params: { sessionId: "s", update: chunk(text) } });
    const end = (text) => process.stdout.write(text, () => process.stderr.write("last words\\n", () => process.exit(1)));
    createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method, params } = JSON.parse(line);
      const answer = (result) => message({ id, result });
      if (method === "session/prompt" && params.prompt[0].text === "wrong") return (() => { ${wrong} })();
      if (method === "session/prompt") console.log(say("fine"));
      if (method === "initialize") console.log(answer({ protocolVersion: 1 }));
      else console.log(answer({ sessionId: "s", stopReason: "end_turn" }));
    });`);
}

async function workspace(t: TestScope, wrong: string, config: AgentOSConfig = {}) {
  const use = { workspace: agentOS({ agents: { bad: agent(wrong) }, ...config }) };
  const { client } = await setupTest(t, setup({ use }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession({});
  return handle;
}

type Workspace = Awaited<ReturnType<typeof workspace>>;

/** What the agent said, in order. */
async function said(handle: Workspace): Promise<string[]> {
  const texts: string[] = [];
  for (let after = 0; ; ) {
    const { events, hasMore } = await handle.getSessionEvents({ sessionId: "main", after });
    for (const { event, sequence } of events) {
      after = sequence;
      if (!("sessionUpdate" in event) || event.sessionUpdate !== "agent_message_chunk") continue;
      if (event.content.type === "text") texts.push(event.content.text);
    }
    if (!hasMore) return texts;
  }
}

const exited = { code: 1, signal: null, stderr: "last words\n" };
const wrongs = [
  [
    "stops in the middle of a line and ends",
    'end(say("one") + "\\n" + say("two").slice(0, -9));',
    "agent.exited",
    exited,
    ["one"],
  ],
  [
    "ends without a line's end",
    'end(say("one") + "\\n" + say("two"));',
    "agent.exited",
    exited,
    ["one", "two"],
  ],
  [
    "begins to write garbage",
    'console.error("last words"); setInterval(() => console.log("{garbage"), 1); console.log(say("one"));',
    "agent.not_acp",
    { line: "{garbage", stderr: "last words\n" },
    ["one"],
  ],
  [
    "writes a line without an end",
    `console.log(say("one")); console.error("last words");
     const more = () => process.stdout.write("x".repeat(65536), more); setTimeout(more, 50);`,
    "agent.message_too_long",
    { limit: limits.agentMessageBytes, stderr: "last words\n" },
    ["one"],
  ],
] as const;

test.each([
  ["null", "null"],
  ["{}", "{}"],
  ["a number", '{ "stopReason": 42 }'],
  ["a reason that isn't ACP's", '{ "stopReason": "banana" }'],
])("an agent that answers a prompt with %s is told of as that, and goes on", async (_what, result) => {
  await using ending = new AsyncDisposableStack();
  const scope = { onTestFinished: (done: () => unknown) => ending.defer(async () => void (await done())) };
  const handle = await workspace(scope, `console.log(say(1)); console.log(answer(${result}));`);
  const error = await failure(handle.prompt({ content: "wrong" }));
  const metadata = { method: "session/prompt", stderr: "" };
  expect([`${error.group}.${error.code}`, error.metadata]).toEqual(["agent.answer_invalid", metadata]);
  expect(await handle.prompt({ content: "go on" })).toEqual({ stopReason: "end_turn" });
  expect(await said(handle)).toEqual(["1", "fine"]);
});

test.each([
  ["initialize", "null", "agent.protocol_version"],
  ["initialize", "7", "agent.protocol_version"],
  ["session/new", "null", "agent.answer_invalid"],
  ["session/new", "{}", "agent.answer_invalid"],
  ["session/new", "{ sessionId: 42 }", "agent.answer_invalid"],
])("an agent that answers %s with %s isn't one, and there is no session", async (asked, result, code) => {
  await using ending = new AsyncDisposableStack();
  const scope = { onTestFinished: (done: () => unknown) => ending.defer(async () => void (await done())) };
  const bad = program(`import { createInterface } from "node:readline";
    createInterface({ input: process.stdin }).on("line", (line) => {
      const { id, method } = JSON.parse(line);
      const result = method === ${JSON.stringify(asked)} ? ${result} : { protocolVersion: 1, sessionId: "s" };
      console.error("last words");
      console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
    });`);
  const { client } = await setupTest(scope, setup({ use: { workspace: agentOS({ agents: { bad } }) } }));
  const handle = client.workspace.getOrCreate(["a"]);
  const error = await failure(handle.createSession({ sessionId: "main" }));
  expect([`${error.group}.${error.code}`, error.metadata]).toMatchObject([
    code,
    { stderr: expect.stringContaining("last words") },
  ]);
  expect(await handle.listSessions()).toEqual([]);
});

test("an agent that wants to know who asks in the middle of a session says so, and goes on", async (t) => {
  const refusal = '{ code: -32000, message: "Authentication required" }';
  const handle = await workspace(t, `console.log(message({ id, error: ${refusal} }));`);
  const error = await failure(handle.prompt({ content: "wrong" }));
  expect([`${error.group}.${error.code}`, error.metadata]).toEqual([
    "agent.auth_required",
    { known: [], stderr: "" },
  ]);
  expect(await handle.prompt({ content: "go on" })).toEqual({ stopReason: "end_turn" });
  for (const content of ["", []])
    expect((await failure(handle.prompt({ content }))).message).toMatch(
      /^A prompt is a text, not an empty one/,
    );
});

test("an agent that says what only the runtime may say is noise: nobody is asked, and the transcript has none of it", async (t) => {
  const forged = {
    sessionUpdate: "_permission_request",
    requestId: "r",
    toolCall: { toolCallId: "a" },
    options: [],
  };
  const update = JSON.stringify({ sessionId: "s", update: forged });
  const handle = await workspace(
    t,
    `console.log(message({ method: "session/update", params: ${update} })); console.log(say("one")); console.log(answer({ stopReason: "end_turn" }));`,
  );
  const conn = handle.connect();
  const asked: unknown[] = [];
  conn.on("permissionRequest", (question) => void asked.push(question));
  await conn.ready;
  expect(await conn.prompt({ content: "wrong" })).toEqual({ stopReason: "end_turn" });
  const { events } = await conn.readHistory();
  expect(JSON.stringify(events)).not.toContain("_permission_request");
  expect(asked).toEqual([]);
});

test.each(wrongs)(
  "an agent that %s, in a turn: what it said is there, why it ended too, and the session goes on",
  async (_name, wrong, code, metadata, before) => {
    await using ending = new AsyncDisposableStack();
    const scope = { onTestFinished: (done: () => unknown) => ending.defer(async () => void (await done())) };
    const handle = await workspace(scope, wrong);
    const error = await failure(handle.prompt({ content: "wrong" }));
    expect([`${error.group}.${error.code}`, error.metadata]).toEqual([code, metadata]);
    expect(await said(handle)).toEqual(before);
    const { events } = await handle.readHistory({ limit: 1 });
    expect(events.map(({ event }) => event)).toMatchObject([{ sessionUpdate: "_prompt_interrupted" }]);
    expect(await handle.prompt({ content: "go on" })).toEqual({ stopReason: "end_turn" });
    expect(await said(handle)).toEqual([...before, "fine"]);
    expect((await handle.exec("echo alive")).stdout).toBe("alive\n");
  },
);

test("an agent that ends while a child of its own holds its streams: it has ended", async (t) => {
  const child = 'spawn("sleep", ["60"], { stdio: "inherit" }).pid';
  const handle = await workspace(
    t,
    `import("node:child_process").then(({ spawn }) => end(say(${child}) + "\\n"));`,
  );
  const error = await failure(handle.prompt({ content: "wrong" }));
  const [pid] = await said(handle);
  process.kill(Number(pid), "SIGKILL");
  expect([error.code, error.metadata]).toEqual(["exited", exited]);
});

test("an agent that floods, answers and ends in one breath: all that it said is there, and its answer counts", async (t) => {
  const count = 2 * limits.agentUpdatesUnderWay + 7;
  const lines = `Array.from({ length: ${count} }, (_, n) => say(n) + "\\n").join("")`;
  const handle = await workspace(t, `end(${lines} + answer({ stopReason: "refusal" }) + "\\n");`);
  expect(await handle.prompt({ content: "wrong" })).toEqual({ stopReason: "refusal" });
  expect(await said(handle)).toEqual(Array.from({ length: count }, (_, n) => String(n)));
});

test("an agent that goes on behind a cancel is ended: its prompt fails, who follows is told, and the session goes on", async (t) => {
  const wrong =
    'console.error("last words"); console.log(say("one")); setInterval(() => console.log(say("more")), 100);';
  const handle = await workspace(t, wrong, { agentCancelTimeoutMs: 50 });
  const prompt = failure(handle.prompt({ content: "wrong", idempotencyKey: "k" }));
  await expect.poll(() => said(handle), { timeout: 20_000 }).toContain("one");
  const cancels = await Promise.all([handle.cancelPrompt(), handle.cancelPrompt()]);
  expect(cancels).toEqual(["cancelled", "cancelled"]);
  const error = await prompt;
  const metadata = { timeoutMs: 50, stderr: "last words\n" };
  expect([`${error.group}.${error.code}`, error.metadata]).toEqual(["agent.cancel_ignored", metadata]);
  const { events } = await handle.readHistory({ limit: 1 });
  expect(events.map(({ event }) => event)).toEqual([{ sessionUpdate: "_prompt_interrupted", promptId: "k" }]);
  const again = await failure(handle.prompt({ content: "wrong", idempotencyKey: "k" }));
  expect(again.code).toBe("prompt_uncertain");
  expect(await handle.prompt({ content: "go on" })).toEqual({ stopReason: "end_turn" });
});
