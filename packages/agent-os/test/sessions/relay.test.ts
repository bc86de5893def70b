/** A session under a relay: prompts and tool calls are scopes, and a guardrail's no is the permission's. */
import { agentOS } from "@troupe/agent-os";
import { setup, setupTest } from "@troupe/runtime";
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
