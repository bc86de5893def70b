/** Execution intercepts of plugins that fail in a gateway: their client, their user and the log are told who it was, and no more than each should know. */
import { text } from "node:stream/consumers";
import type { Relay } from "@troupe/relay";
import { expect, test } from "vitest";
import { FilesWritten } from "../src/run/files-written.ts";
import { RunSummary } from "../src/run/summary.ts";
import { post, start } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

const raw = "raw words of the plugin";

/** Answers of model call and hook, and the summary. */
async function told(handle: string) {
  using folder = new PluginFolder();
  const plugin = folder.worker(
    "around",
    `{ kind: "llm_execution_intercept", name: "llm", handle: ${handle} },
     { kind: "tool_execution_intercept", name: "tool", handle: ${handle} }`,
  );
  await using provider = await ScriptedProvider.start((_request, response) => void response.destroy());
  const summary = new RunSummary(new FilesWritten("/nowhere", 0));
  const listen = (relay: Relay) => summary.listen(relay);
  const gateway = await start(provider, { plugin: [plugin], listen });
  const ask = async (path: string, body: string): Promise<Record<string, unknown>> =>
    JSON.parse(await text(await post(gateway.url + path, body)));
  const model = await ask("/v1/messages", "{}");
  const tool = await ask("/hooks/tool", '{"name":"ls"}');
  await gateway[Symbol.asyncDispose]();
  return { model, tool, lines: summary.text(1).split("\n") };
}

test("one that throws is named, and its words are the user's alone", async () => {
  const { model, tool, lines } = await told(`() => { throw new Error("${raw}"); }`);
  const failed = (kind: string) => `The ${kind}_execution_intercept "around/${kind}" failed`;
  expect(model).toMatchObject({
    type: "error",
    error: { code: "relay.middleware_failed", message: failed("llm") },
  });
  expect(tool).toEqual({ decision: "deny", by: "around/tool", reason: failed("tool") });
  expect(lines.slice(1, -1)).toEqual([
    `  failed: ${failed("llm")}: ${raw}`,
    `  refused: ${failed("tool")}: ${raw}`,
  ]);
});

test("what its provider did isn't laid to one that gives it on", async () => {
  const { model, tool } = await told("(payload, { next }) => next(payload.request ?? payload.args)");
  expect(model).toMatchObject({ error: { code: "gateway.upstream_closed" } });
  expect(tool).toMatchObject({ decision: "allow" });
});

test("one that answers nothing, or no request, is named too", async () => {
  for (const handle of [
    "() => null",
    "(_payload, { next }) => next({ headers: { a: '1\\r\\nb: 2' }, content: 1 })",
  ]) {
    const { model } = await told(handle);
    expect(model).toMatchObject({ error: { code: "relay.middleware_failed" } });
  }
});

test("what JSON can't say is an error with a name, in a request, an answer and a chunk", async () => {
  const odd: unknown = { n: 1n };
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const kinds: ((relay: Relay) => unknown)[] = [
    (relay) =>
      relay.registerLlmExecutionIntercept("a", ({ request }, { next }) => next({ ...request, content: odd })),
    (relay) =>
      relay.registerLlmExecutionIntercept("a", ({ request }, { next }) =>
        next({ ...request, content: undefined }),
      ),
    (relay) => relay.registerLlmExecutionIntercept("a", () => odd),
    (relay) =>
      relay.registerLlmStreamExecutionIntercept("a", async function* () {
        yield odd;
      }),
  ];
  for (const register of kinds) {
    const gateway = await start(provider, { listen: (relay) => void register(relay) });
    const answer = await post(`${gateway.url}/v1/messages`, '{"stream":true}');
    expect(JSON.parse(await text(answer))).toMatchObject({ error: { code: "gateway.no_json" } });
    await gateway[Symbol.asyncDispose]();
  }
  expect(provider.received).toEqual([]);
});
