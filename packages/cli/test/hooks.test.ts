/** What agents say and ask at their hooks: they are told no in their own words, and never yes. */
import { Readable } from "node:stream";
import type { Relay, RelayEvent } from "@troupe/relay";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { runHook } from "../src/hook/command.ts";
import { start as startDaemon } from "./support/gateway-calls.ts";
import { ScriptedProvider } from "./support/provider.ts";

/** A gateway with a guardrail of this process: it refuses `rm`, and fails at `odd`. */
async function guarded(upstream: readonly string[] = []) {
  const events: RelayEvent[] = [];
  const options = readOptions({ bind: "127.0.0.1:0", plugin: [], upstream }, { cwd: "/" });
  const agent = {
    token: "secret",
    session: "launch-1",
    listen: (relay: Relay) => {
      relay.registerSubscriber("test", (event) => void events.push(event));
      relay.registerToolConditionalExecutionGuardrail("no-rm", ({ toolName }) => {
        if (toolName === "odd") throw new Error("out of order");
        return toolName === "rm" ? "nothing is removed here" : null;
      });
      relay.registerToolRequestIntercept("safer", ({ toolName, args }) =>
        toolName === "mv" ? { path: "/safe" } : args,
      );
      relay.registerToolExecutionIntercept("cache", ({ toolName, args }, { next }) =>
        toolName === "cached" ? { result: "known" } : next(args),
      );
    },
  };
  const gateway = await Gateway.start(options, { agent });
  const post = async (path: string, body: unknown) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await fetch(gateway.url + path, { method: "POST", body: text });
    return [answer.status, await answer.json()];
  };
  return { gateway, events, post };
}

const asked = (tool: string) => ({
  hook_event_name: "PreToolUse",
  session_id: "claude-7",
  tool_name: tool,
  tool_input: { path: "/" },
});

test("Claude Code's hooks: a no is a no, everything else is left to its own rules, and whatever fails is a no", async () => {
  const { gateway, events, post } = await guarded();
  await using _gateway = gateway;
  const no = (reason: unknown) => [200, claudesNo(reason)];
  expect(await post("/hooks/claude", asked("rm"))).toEqual(no("nothing is removed here"));
  expect(await post("/hooks/claude", asked("ls"))).toEqual([200, {}]);
  expect(await post("/hooks/claude", asked("odd"))).toEqual(no(expect.any(String)));
  const twice = JSON.stringify(asked("ls")).replace('"tool_name"', '"tool_name":"rm","tool_name"');
  expect(await post("/hooks/claude", twice)).toEqual(no(expect.stringContaining('says "tool_name" twice')));
  const [refused, { error }] = await post("/hooks/tool", '{"name":"ls","args":{"a":1,"a":2}}');
  expect([refused, error.code]).toEqual([400, "key_repeated"]);
  expect(await post("/hooks/claude", "{ half")).toEqual(no(expect.stringContaining("hook_event_name")));
  expect(await post("/hooks/claude", { ...asked(""), tool_name: 7 })).toEqual(no(expect.any(String)));
  expect(await post("/hooks/claude", { ...asked("rm"), hook_event_name: "PermissionRequest" })).toEqual([
    200,
    {},
  ]);
  expect(await post("/hooks/claude", { hook_event_name: "Stop", session_id: "claude-7" })).toEqual([200, {}]);
  expect((await post("/hooks/nobody", asked("ls")))[0]).toBe(404);
  await gateway[Symbol.asyncDispose]();
  const marks = events.filter(({ name }) => name === "hook.Stop");
  expect(marks).toMatchObject([{ metadata: { session_id: "launch-1", agent_session_id: "claude-7" } }]);
});

const claudesNo = (reason: unknown) => ({
  hookSpecificOutput: {
    hookEventName: "PreToolUse",
    permissionDecision: "deny",
    permissionDecisionReason: reason,
  },
});

test("a tool whose arguments an intercept changes runs with those, or not at all; one that is answered in its place doesn't run", async () => {
  const { gateway, events, post } = await guarded();
  await using _gateway = gateway;
  expect(await post("/hooks/claude", asked("mv"))).toEqual([
    200,
    { hookSpecificOutput: { hookEventName: "PreToolUse", updatedInput: { path: "/safe" } } },
  ]);
  // To Codex this would be a hook that failed, and the tool would run with what it had, whatever address it was given.
  const codexs = { ...asked("mv"), turn_id: "turn-1" };
  const untold = expect.stringContaining("changes what it would be called with");
  for (const path of ["/hooks/codex", "/hooks/claude"])
    expect(await post(path, codexs)).toEqual([200, claudesNo(untold)]);
  expect(await post("/hooks/gemini", { ...asked("mv"), hook_event_name: "BeforeTool" })).toEqual([
    200,
    { decision: "deny", reason: untold },
  ]);
  expect(await post("/hooks/tool", { name: "mv", args: { path: "/" } })).toEqual([
    200,
    { decision: "deny", by: "safer", reason: untold },
  ]);
  expect(await post("/hooks/tool", { name: "cached", args: {} })).toEqual([
    200,
    { decision: "deny", by: "cache", reason: expect.stringContaining('"cache" answered in the place of') },
  ]);
  await gateway[Symbol.asyncDispose]();
  // Nothing ran here, so nothing says so.
  expect(events.filter(({ kind, category }) => kind === "scope" && category === "tool")).toEqual([]);
  const decisions = events.flatMap(({ name, data }) => (name === "tool.decision" ? [data] : []));
  expect(decisions[0]).toEqual({ tool: "mv", decision: "allow", by: null, reason: null, rewritten: true });
});

test("a question is answered in its own words at whatever agent's address it comes", async () => {
  const { gateway, post } = await guarded();
  await using _gateway = gateway;
  const geminis = { ...asked("rm"), hook_event_name: "BeforeTool" };
  for (const agent of ["claude", "codex", "gemini"]) {
    const path = `/hooks/${agent}`;
    expect(await post(path, asked("rm"))).toEqual([200, claudesNo("nothing is removed here")]);
    expect(await post(path, geminis)).toEqual([200, { decision: "deny", reason: "nothing is removed here" }]);
  }
});

test("one session joins model calls, hooks and what passes through, with the agent's own word beside it", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const { gateway, events, post } = await guarded([provider.url]);
  const headers = { "x-claude-code-session-id": "claude-7" };
  for (const path of ["/v1/messages", "/v1/messages/count_tokens"])
    await fetch(gateway.url + path, { method: "POST", body: "{}", headers });
  await post("/hooks/claude", asked("ls"));
  await gateway[Symbol.asyncDispose]();
  const joined = events.filter(({ name }) =>
    ["anthropic.messages", "gateway.passed_through", "hooks.tool"].includes(name),
  );
  expect(joined).toHaveLength(5);
  for (const { metadata } of joined)
    expect(metadata).toMatchObject({ session_id: "launch-1", agent_session_id: "claude-7" });
});

test("what passes through over a connection that a model call has opened is not under that call", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const { gateway, events } = await guarded([provider.url]);
  await (await fetch(`${gateway.url}/v1/messages`, { method: "POST", body: "{}" })).text();
  await (await fetch(`${gateway.url}/v1/models`)).text();
  await gateway[Symbol.asyncDispose]();
  expect(provider.connections).toBe(1);
  const passed = events.filter(({ name }) => name === "gateway.passed_through");
  expect(passed.map(({ parent_uuid }) => parent_uuid)).toEqual([null]);
});

test("troupe hook hands the answer on; a question that can't be asked blocks, any other event doesn't", async () => {
  const { gateway } = await guarded();
  await using _gateway = gateway;
  const hook = async (event: string, url: string | undefined) => {
    const told = { out: "", err: "", code: 0 };
    await runHook("gemini", {
      input: Readable.from([Buffer.from(event)]),
      env: { TROUPE_GATEWAY_URL: url },
      out: (text) => (told.out += text),
      err: (text) => (told.err += text),
      exit: (code) => (told.code = code),
    });
    return told;
  };
  const question = (tool: string) => JSON.stringify({ ...asked(tool), hook_event_name: "BeforeTool" });
  const refusal = '{"decision":"deny","reason":"nothing is removed here"}\n';
  expect(await hook(question("rm"), gateway.url)).toEqual({ out: refusal, err: "", code: 0 });
  expect(await hook(question("ls"), gateway.url)).toEqual({ out: "{}\n", err: "", code: 0 });
  const strangers = new URL(gateway.url).origin;
  expect(await hook(question("ls"), strangers)).toMatchObject({ out: "", code: 2 });
  expect(await hook(question("ls"), "http://127.0.0.1:1")).toMatchObject({ out: "", code: 2 });
  expect(await hook(question("ls"), undefined)).toMatchObject({
    err: expect.stringContaining("TROUPE_GATEWAY_URL is not set"),
    code: 2,
  });
  // Whoever says yes to everything, and a gateway that passes on what it doesn't know.
  await using provider = await ScriptedProvider.start(
    (_request, response) => void response.end('{"ok":true}'),
  );
  await using daemon = await startDaemon(provider);
  for (const url of [provider.url, `${daemon.url}/t/wrong`])
    expect(await hook(question("rm"), url)).toMatchObject({
      out: "",
      err: expect.stringContaining("is no gateway"),
      code: 2,
    });
  expect(provider.received).toHaveLength(2);
  expect(await hook("{ half", undefined)).toMatchObject({ code: 2 });
  expect(await hook('{"hook_event_name":"SessionEnd"}', undefined)).toMatchObject({ code: 1 });
});
