/** What stands before a model call, and the call itself, in one scope: in the trace, the terminal, the page and the summary. */
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Relay } from "@troupe/relay";
import { AtifExporter } from "@troupe/relay/node";
import { expect, test } from "vitest";
import { FilesWritten } from "../src/run/files-written.ts";
import { RunSummary } from "../src/run/summary.ts";
import { readTrace, type TraceNode } from "../src/trace/read-trace.ts";
import { showTrace } from "../src/trace/show-trace.ts";
import { tracePage } from "../src/trace/trace-page.ts";
import { post, start } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

const answer = '{"model":"m-1","content":[],"usage":{"input_tokens":3,"output_tokens":2}}';

function provider(): Promise<ScriptedProvider> {
  return ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(answer);
  });
}

/** A guardrail that takes a turn to think, so that calls which came at once are asked about in turns. */
function noBombs(relay: Relay): void {
  relay.registerLlmConditionalExecutionGuardrail("no-bombs", async ({ request }) => {
    await new Promise((resolve) => setImmediate(resolve));
    return JSON.stringify(request.content).includes("bomb") ? "nothing explodes here" : null;
  });
}

const names = ({ children }: TraceNode): string[] => children.map(({ name }) => name);

test("each call is in one scope with what was asked before it, also where many are made at once, and a refused one too", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "t.jsonl");
  const summary = new RunSummary(new FilesWritten("/", 0));
  const atif = new AtifExporter({ sessionId: "s", agentName: "a", agentVersion: "1" });
  await using upstream = await provider();
  const gateway = await start(upstream, {
    atof,
    listen: (relay) => {
      noBombs(relay);
      summary.listen(relay);
      atif.register(relay, "atif");
    },
  });
  const bodies = ['{"model":"one"}', '{"model":"two"}', '{"model":"bomb"}', "no JSON"];
  const answers = await Promise.all(bodies.map((body) => post(`${gateway.url}/v1/messages`, body)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 403, 400]);
  for (const each of answers) await text(each);
  await gateway[Symbol.asyncDispose]();

  const trace = await readTrace(atof);
  expect(new Set(trace.roots.map(({ name }) => name))).toEqual(new Set(["model.request"]));
  const called = trace.roots.filter((root) => names(root).includes("anthropic.messages"));
  const asked = called.map(({ children, error, session }) => ({
    session,
    error,
    models: children.filter(({ category }) => category === "llm").map(({ input }) => Object(input).content),
    names: children.map(({ name }) => name),
  }));
  const kept = { session: "s", error: undefined, names: ["no-bombs", "anthropic.messages"] };
  expect(asked).toEqual(
    expect.arrayContaining([
      { ...kept, models: [{ model: "one" }] },
      { ...kept, models: [{ model: "two" }] },
      {
        ...kept,
        error: 'Guardrail "no-bombs" rejected the call: nothing explodes here',
        models: [undefined],
      },
    ]),
  );
  expect(asked).toHaveLength(3);
  const unread = trace.roots.filter((root) => !called.includes(root));
  expect(unread.map((root) => [names(root), root.error?.includes("can't be read")])).toEqual([
    [["gateway.body_unread"], true],
  ]);

  expect(showTrace(trace)).toMatch(
    /^model\.request {2}function {2}.* ✗ Guardrail .*: nothing explodes here$/m,
  );
  expect(tracePage(trace, "t")).toMatch(
    /<b>model\.request<\/b>.*<em>Guardrail .*nothing explodes here<\/em>/,
  );
  expect(summary.text(1)).toContain("4 model calls in 1.0 s, 2 refused\n");
  expect(summary.text(1)).toContain("  refused: nothing explodes here\n");
  const marks = Object(atif.trajectory().extra).marks as readonly { readonly data: unknown }[];
  expect(marks).toContainEqual(
    expect.objectContaining({ data: { rejected: true, rejection_reason: "nothing explodes here" } }),
  );
});

test.each([
  [429, '{"error":{"message":"slow down"}}', "status 429: slow down"],
  [500, "oops", "status 500"],
  [200, 'data: {"type":"message_start","message":{"model":"m-1"}}\n\n', "its stream ended early"],
])("what a provider's answer says went wrong (%j) is said of both scopes", async (status, body, reason) => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "t.jsonl");
  await using upstream = await ScriptedProvider.start((_request, response) => {
    const type = body.startsWith("data:") ? "text/event-stream" : "application/json";
    response.writeHead(status, { "content-type": type }).end(body);
  });
  const gateway = await start(upstream, { atof, listen: noBombs });
  const answered = await post(`${gateway.url}/v1/messages`, '{"model":"one","stream":true}');
  expect([answered.statusCode, await text(answered)]).toEqual([status, body]);
  await gateway[Symbol.asyncDispose]();
  const [root] = (await readTrace(atof)).roots;
  const error = `"anthropic.messages" failed at its provider: ${reason}`;
  expect(root).toMatchObject({ name: "model.request", error });
  expect(root?.children.find(({ category }) => category === "llm")?.error).toBe(error);
});

test("where nobody stands before a call, its own scope is all there is", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "t.jsonl");
  await using upstream = await provider();
  const gateway = await start(upstream, { atof });
  await text(await post(`${gateway.url}/v1/messages`, '{"model":"one"}'));
  await gateway[Symbol.asyncDispose]();
  expect((await readTrace(atof)).roots.map(({ name }) => name)).toEqual(["anthropic.messages"]);
});
