/** A session under a relay: prompts and tool calls are scopes, and a guardrail's no is the permission's. */
import { agentOS } from "@troupe/agent-os";
import { setup, setupTest, type TestScope } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Listener } from "../../../runtime/test/relay/listener.ts";
import { scripted } from "../support/agents.ts";

test("a prompt is a scope, and each tool call of its agent is one below it; a refused one gets no permission", async (t) => {
  const listener = new Listener();
  listener.relay.registerToolConditionalExecutionGuardrail("no danger", ({ toolName }) =>
    toolName === "something dangerous" ? "too dangerous" : undefined,
  );
  const workspace = agentOS({ agents: { scripted }, permissions: "allow_all" });
  const { client } = await setupTest(t, setup({ use: { workspace }, relay: listener.relay }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession();
  await listener.forget();
  await handle.prompt({ content: "run echo hi\nask" });
  const prompt = await listener.start("workspace.prompt");
  const run = await listener.start("echo hi");
  expect([run.category, run.parent_uuid]).toEqual(["tool", prompt.uuid]);
  expect((await listener.end("echo hi")).metadata?.["error.type"]).toBeUndefined();
  expect((await listener.mark("something dangerous")).name).toBe("something dangerous");
  const { events } = await handle.readHistory();
  expect(JSON.stringify(events.at(-1))).toContain('"text":"no"');
}, 60_000);

test("a tool call without an end ends with its turn, as unfinished; one that the agent says has failed, as failed", async (t) => {
  const listener = new Listener();
  const workspace = agentOS({ agents: { scripted }, permissions: "allow_all" });
  const { client } = await setupTest(t, setup({ use: { workspace }, relay: listener.relay }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession();
  await handle.prompt({ content: "ask\nfail" });
  for (const name of ["something dangerous", "a failure"])
    expect((await listener.end(name)).metadata?.["error.type"]).toBe("agent.tool_failed");
}, 60_000);

/** A call as its agent tells of it, or asks. */
const call = (toolCallId: string, more: object) => JSON.stringify({ toolCallId, ...more });
const tell = (sessionUpdate: "tool_call" | "tool_call_update", toolCallId: string, more: object) =>
  `tell ${JSON.stringify({ sessionUpdate, toolCallId, ...more })}`;
const list = { title: "shell", kind: "execute", rawInput: { command: "ls" } };
const wipe = { title: "shell", kind: "execute", rawInput: { command: "rm -rf /" } };

test.each([
  ["asked at once", [`ask ${call("a", wipe)}`]],
  [
    "told of first, its arguments later",
    [
      tell("tool_call", "a", { title: "shell", status: "pending" }),
      tell("tool_call_update", "a", { rawInput: wipe.rawInput }),
      `ask ${call("a", { title: null })}`,
    ],
  ],
  [
    "told of as running, its arguments in the question",
    [tell("tool_call", "a", { title: "shell", status: "in_progress" }), `ask ${call("a", wipe)}`],
  ],
  [
    "changed by an update",
    [tell("tool_call", "a", list), tell("tool_call_update", "a", wipe), `ask ${call("a", {})}`],
  ],
  ["asked with the name of another that was allowed", [`ask ${call("a", list)}`, `ask ${call("a", wipe)}`]],
  [
    "asked with the name of one that is over",
    [tell("tool_call", "a", { ...list, status: "completed" }), `ask ${call("a", wipe)}`],
  ],
  [
    "told of as something else behind that",
    [
      tell("tool_call", "a", { ...list, status: "completed" }),
      tell("tool_call", "a", wipe),
      `ask ${call("a", {})}`,
    ],
  ],
])("a guardrail decides on what is asked: a call that is %s is refused", async (_how, lines) => {
  await using ending = new AsyncDisposableStack();
  const scope = { onTestFinished: (done: () => unknown) => ending.defer(async () => void (await done())) };
  const { handle } = await guarded(scope);
  await handle.prompt({ content: lines.join("\n") });
  const { events } = await handle.readHistory();
  expect(JSON.stringify(events.at(-1))).toContain('"text":"no"');
  await handle.prompt({ content: `ask ${call("a", list)}` });
  const { events: later } = await handle.readHistory();
  expect(JSON.stringify(later.at(-1))).toContain('"text":"yes"');
});

test("what an agent asks when no prompt runs is decided by guardrails too", async (t) => {
  const { handle } = await guarded(t);
  await handle.prompt({ content: `ask-later ${call("a", wipe)}` });
  const last = async () => JSON.stringify((await handle.readHistory({ limit: 1 })).events);
  await expect.poll(last).toContain('"text":"no"');
  await handle.prompt({ content: `ask-later ${call("b", list)}` });
  await expect.poll(last).toContain('"text":"yes"');
});

test("a call whose arguments come behind its name is one scope, with its arguments", async (t) => {
  const { handle, listener } = await guarded(t);
  const lines = [
    tell("tool_call", "a", { title: "shell", status: "pending" }),
    `ask ${call("a", list)}`,
    tell("tool_call_update", "a", { status: "completed", rawOutput: "x" }),
    tell("tool_call_update", "a", { content: [] }),
  ];
  await handle.prompt({ content: lines.join("\n") });
  const scopes = (await listener.story()).filter((told) => told.endsWith(" shell"));
  expect(scopes).toEqual(["start shell", "end shell"]);
  expect(JSON.stringify((await listener.start("shell")).data)).toContain('"ls"');
});

/** A session whose agent may do all but remove things. */
async function guarded(t: TestScope) {
  const listener = new Listener();
  listener.relay.registerToolConditionalExecutionGuardrail("no removal", (asked) =>
    JSON.stringify(asked).includes("rm -rf") ? "no removal" : undefined,
  );
  const workspace = agentOS({ agents: { scripted }, permissions: "allow_all" });
  const { client } = await setupTest(t, setup({ use: { workspace }, relay: listener.relay }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.openSession();
  return { handle, listener };
}
