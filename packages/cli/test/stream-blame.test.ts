/** Who failed, where intercepts go around a stream that failed below them: whose failure it is, in trace, log and diagnostics. */
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { linesOf, post, start } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

const chunk = (text: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;

/** Cuts a model `cut` behind its first chunk, says to `proto` what no session carries, and answers others whole. */
const provider = () =>
  ScriptedProvider.start(({ headers }, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (headers["x-case"] === "proto") return response.end('data: {"__proto__":{"a":1}}\n\n');
    if (headers["x-case"] !== "cut") return response.end(`${chunk("well")}data: [DONE]\n\n`);
    response.write(chunk("cut"), () => setImmediate(() => response.destroy()));
  });

/** What a worker with this stream intercept makes of one call, and what is said of it. */
async function blamed(how: string, handle: string, more = "") {
  using folder = new PluginFolder();
  const plugin = folder.worker(
    "around",
    `{ kind: "llm_stream_execution_intercept", name: "stream", handle: ${handle} }${more}`,
  );
  const atof = folder.write("trace.jsonl", "");
  await using scripted = await provider();
  const gateway = await start(scripted, { atof, plugin: [plugin] });
  const answer = await post(`${gateway.url}/v1/chat/completions`, '{"stream":true,"model":"m"}', {
    "x-case": how,
  });
  const body = await buffer(answer).catch(() => "cut");
  const { plugins } = Object(await (await fetch(`${gateway.origin}/plugins`)).json());
  await gateway[Symbol.asyncDispose]();
  const lines = linesOf(atof);
  const end = lines.find(({ name, scope_category }) => scope_category === "end" && name.startsWith("openai"));
  const marks = lines.filter(({ metadata }) => metadata["error.type"] === "relay.middleware_failed");
  return {
    body: `${body}`,
    failures: plugins[0].failures,
    type: end?.metadata["error.type"],
    description: end?.metadata["otel.status_description"],
    marks: marks.filter(({ scope_category }) => scope_category === undefined).length,
  };
}

test.each([
  [
    "reads on",
    "async function* ({ request }, { next }) { for await (const one of await next(request)) yield one; }",
  ],
  ["hands it on", "async function* ({ request }, { next }) { yield* await next(request); }"],
])("what the provider cut is no failure of a plugin that %s", async (_how, handle) => {
  expect(await blamed("cut", handle)).toMatchObject({
    ...{ body: "cut", failures: 0, type: "gateway.upstream_cut", marks: 0 },
  });
});

const ownBug = `async function* ({ request }, { next }) {
  try { for await (const one of await next(request)) yield one; } catch { throw new Error("own bug"); }
}`;
const secondTry = `async function* ({ request }, { next }) {
  const chunks = await next(request).catch(() => next(request));
  for await (const one of chunks) yield one;
  throw new Error("own bug");
}`;
/** Fails at its first call, before there is a stream. */
const inner = `, { kind: "llm_stream_execution_intercept", name: "inner", priority: 9, handle: ({ request }, { next }) => {
  globalThis.tries = (globalThis.tries ?? 0) + 1;
  if (globalThis.tries === 1) throw new Error("not yet");
  return next(request);
} }`;

test.each([
  ["catches the provider's failure and fails by itself", "cut", ownBug, "", 1],
  ["has a first try that failed, and fails behind the second", "well", secondTry, inner, 2],
])("a plugin that %s is named", async (_what, how, handle, more, failed) => {
  const { failures, type, description, marks } = await blamed(how, handle, more);
  expect({ failures, type, marks }).toEqual({
    ...{ failures: failed, type: "relay.middleware_failed", marks: failed },
  });
  expect(description).toContain('"around/stream" failed');
});

test("what a plugin's session can't carry of a provider's stream isn't the plugin's failure", async () => {
  const told = await blamed(
    "proto",
    "async function* ({ request }, { next }) { for await (const one of await next(request)) yield one; }",
  );
  expect(told).toMatchObject({ body: "cut", failures: 0, type: "gateway.chunk_unshown", marks: 0 });
  expect(told.description).toMatch(/can't be shown what it streamed: .*__proto__/);
});
