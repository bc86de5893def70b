/** What a run says of each tool that an agent was told not to run: in its summary and in its trace, by whom and why. */
import { join } from "node:path";
import { limits } from "@troupe/protocol";
import type { Relay } from "@troupe/relay";
import { expect, onTestFinished, test, vi } from "vitest";
import { FilesWritten } from "../src/run/files-written.ts";
import { RunSummary } from "../src/run/summary.ts";
import { readTrace } from "../src/trace/read-trace.ts";
import { showTrace } from "../src/trace/show-trace.ts";
import { post, start } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

function middleware(relay: Relay): void {
  relay.registerToolConditionalExecutionGuardrail("no-rm", ({ toolName }) =>
    toolName === "rm" ? "nothing is removed here" : null,
  );
  relay.registerToolRequestIntercept("norm", ({ toolName, args }) => (toolName === "mv" ? { a: 2 } : args));
  relay.registerToolExecutionIntercept("outer", ({ toolName, args }, { next }) => {
    if (toolName === "cached") return { result: "known" };
    if (toolName === "throws") throw new Error("out of order");
    return next(toolName === "outer" ? { a: 3 } : args);
  });
  relay.registerToolExecutionIntercept("inner", ({ toolName, args }, { next }) =>
    next(toolName === "inner" ? { a: 4 } : args),
  );
}

const changes = /a middleware changes what it would be called with/;

const refusals = [
  ["rm", "no-rm", /^nothing is removed here$/],
  ["mv", "norm", changes],
  ["outer", "outer", changes],
  ["inner", "inner", changes],
  ["cached", "outer", /answered in the place/],
  ["throws", "outer", /"outer" failed/],
] as const;

test("each tool that was refused is told of once, by whom and why, whoever was against it", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  await using provider = await ScriptedProvider.start((_request, response) => void response.end());
  const summary = new RunSummary(new FilesWritten("/nowhere", 0));
  const listen = (relay: Relay): void => {
    summary.listen(relay);
    middleware(relay);
  };
  const gateway = await start(provider, { atof, listen });
  const ask = async (name: string): Promise<unknown> => {
    const answer = await post(`${gateway.url}/hooks/tool`, JSON.stringify({ name, args: { a: 1 } }));
    return JSON.parse((await answer.toArray()).join(""));
  };
  expect(await ask("ls")).toMatchObject({ decision: "allow", by: null });
  for (const [name, by, reason] of refusals)
    expect(await ask(name)).toMatchObject({ decision: "deny", by, reason: expect.stringMatching(reason) });
  const broken = await post(`${gateway.url}/hooks/gemini`, "{ half");
  expect(JSON.parse((await broken.toArray()).join(""))).toMatchObject({ decision: "deny" });
  await gateway[Symbol.asyncDispose]();

  const [head, ...said] = summary.text(1).split("\n");
  expect(head).toBe("troupe: 0 model calls in 1.0 s; 7 tool calls refused");
  expect(said[0]).toBe("  refused: nothing is removed here (no-rm)");

  const lines = showTrace(await readTrace(atof)).split("\n");
  const decisions = lines.filter((line) => line.includes("tool.decision") && !line.includes("measurements"));
  expect(decisions).toHaveLength(8);
  expect(decisions[0]).not.toContain("✗");
  for (const [n, [name, by]] of refusals.entries())
    expect(decisions[n + 1]).toMatch(new RegExp(`tool.decision {2}${name} {2}✗ .*[("]${by}[")]`));
  expect(decisions[7]).toMatch(/tool.decision {2}✗ .*hook_event_name/);
});

test("a question that takes longer than an agent would wait is answered with a no, in time", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  await using provider = await ScriptedProvider.start((_request, response) => void response.end());
  const { promise: reached, resolve } = Promise.withResolvers<AbortSignal>();
  const listen = (relay: Relay): void =>
    void relay.registerToolExecutionIntercept("slow", async (_payload, { signal }) => {
      resolve(signal);
      return await new Promise<never>(() => {});
    });
  await using gateway = await start(provider, { listen });
  const event = { hook_event_name: "PreToolUse", tool_name: "ls", tool_input: {} };
  const answering = post(`${gateway.url}/hooks/claude`, JSON.stringify(event));
  const signal = await reached;
  await vi.advanceTimersByTimeAsync(limits.gatewayHookMs - 1);
  expect(signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  const { hookSpecificOutput } = JSON.parse((await (await answering).toArray()).join(""));
  expect(hookSpecificOutput).toMatchObject({
    permissionDecision: "deny",
    permissionDecisionReason: expect.stringContaining("no answer within 45 seconds"),
  });
  expect(signal.aborted).toBe(true);
});
