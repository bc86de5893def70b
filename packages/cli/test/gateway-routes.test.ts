/** More of what agents send: the other model APIs, what is no model call, and what a trace says of an answer. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

const sse = (...chunks: readonly unknown[]): string =>
  chunks.map((chunk) => `data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`).join("");

const chatChunks = sse(
  {
    id: "c1",
    object: "chat.completion.chunk",
    model: "m-1",
    choices: [{ index: 0, delta: { content: "He" } }],
  },
  {
    id: "c1",
    object: "chat.completion.chunk",
    model: "m-1",
    choices: [{ index: 0, delta: { content: "y" }, finish_reason: "stop" }],
  },
  {
    id: "c1",
    object: "chat.completion.chunk",
    model: "m-1",
    choices: [],
    usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
  },
  "[DONE]",
);

const answers: Readonly<
  Record<string, { readonly body: string | Uint8Array; readonly headers: Record<string, string> }>
> = {
  "/v1/chat/completions": {
    body: chatChunks,
    headers: { "content-type": "text/event-stream; charset=utf-8" },
  },
  "/v1/messages": {
    body: gzipSync(
      JSON.stringify({
        type: "message",
        model: "claude-x",
        role: "assistant",
        content: [{ type: "tool_use", id: "t1", name: "bash", input: {} }],
        usage: { input_tokens: 5, output_tokens: 3 },
      }),
    ),
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
  },
  "/v1/responses": {
    body: zstdCompressSync(
      JSON.stringify({
        object: "response",
        model: "r-1",
        status: "completed",
        output: [],
        usage: { input_tokens: 4, output_tokens: 1, total_tokens: 5 },
      }),
    ),
    headers: { "content-type": "application/json", "content-encoding": "zstd" },
  },
  "/v1beta/models/g-1:streamGenerateContent?alt=sse": {
    body: sse({
      modelVersion: "g-1",
      candidates: [{ content: { role: "model", parts: [{ text: "Hey" }] }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 6, candidatesTokenCount: 2, totalTokenCount: 8 },
    }),
    headers: { "content-type": "text/event-stream" },
  },
};

test("four model APIs, streamed, whole and packed: bytes as they are, and the trace has model and tokens", async () => {
  using folder = new PluginFolder();
  const trace = join(folder.path, "trace.jsonl");
  await using provider = await ScriptedProvider.start((request, response) => {
    const { body = "", headers = {} } = answers[request.url ?? ""] ?? {};
    response.writeHead(200, headers).end(body);
  });
  await using gateway = await GatewayProcess.start(["--upstream", provider.url, "--atof", trace]);
  for (const [path, { body, headers }] of Object.entries(answers)) {
    const question = path.includes("/models/")
      ? { contents: [{ role: "user", parts: [{ text: "hi" }] }] }
      : path === "/v1/responses"
        ? { model: "asked", input: "hi" }
        : { model: "asked", max_tokens: 9, messages: [{ role: "user", content: "hi" }] };
    const answer = await fetch(gateway.url + path, { method: "POST", body: JSON.stringify(question) });
    expect(Number(answer.headers.get("x-troupe-overhead-ms"))).toBeGreaterThan(0);
    // fetch unpacks what it knows.
    if (headers["content-encoding"] === undefined) expect(await answer.text()).toBe(body);
    else await answer.arrayBuffer();
  }
  await gateway.stop();
  const events = readFileSync(trace, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const ends = events.filter(
    ({ category, scope_category }) => category === "llm" && scope_category === "end",
  );
  expect(
    ends.map(({ name, data, category_profile: { annotated_response: said } }) => [
      name,
      data.complete ?? "whole",
      said.model,
      said.usage.prompt_tokens,
      said.usage.completion_tokens,
    ]),
  ).toEqual([
    ["openai.chat_completions", true, "m-1", 7, 2],
    ["anthropic.messages", "whole", "claude-x", 5, 3],
    ["openai.responses", "whole", "r-1", 4, 1],
    ["gemini.generate_content", true, "g-1", 6, 2],
  ]);
});

test("what is no model call goes to whose it is, untouched, both ways", async () => {
  const says = (name: string) =>
    ScriptedProvider.start((request, response) => {
      response.writeHead(200, { "x-from": name }).end(`${name} ${request.method}`);
    });
  await using openai = await says("openai");
  await using anthropic = await says("anthropic");
  await using gateway = await GatewayProcess.start([
    ...["--upstream", `openai=${openai.url}`],
    ...["--upstream", `anthropic=${anthropic.url}/base`],
  ]);
  const models = await fetch(`${gateway.url}/v1/models?limit=3`);
  expect(await models.text()).toBe("openai GET");
  expect(openai.received[0]?.url).toBe("/v1/models?limit=3");
  const count = await fetch(`${gateway.url}/v1/messages/count_tokens`, { method: "POST", body: "{ }" });
  expect(await count.text()).toBe("anthropic POST");
  expect(anthropic.received[0]).toMatchObject({ url: "/base/v1/messages/count_tokens" });
  expect(`${anthropic.received[0]?.body}`).toBe("{ }");
  // Nobody said where Gemini is.
  const gemini = await fetch(`${gateway.url}/v1beta/models`);
  expect([gemini.status, await gemini.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
  const refused = await fetch(`${gateway.url}/v1beta/models/g:generateContent`, {
    method: "POST",
    body: "{}",
  });
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: { status: "UNAVAILABLE" } }]);
});

test('with unknown_paths = "refuse" nothing asks a model unseen; what reads or counts goes on, and a reload changes it', async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const config = folder.write("troupe.toml", '[gateway]\nunknown_paths = "refuse"');
  await using gateway = await GatewayProcess.start(["--upstream", provider.url, "--config", config]);
  const ask = async (method: string, path: string) => {
    const answer = await fetch(gateway.url + path, { method, ...(method === "POST" ? { body: "{}" } : {}) });
    return [answer.status, /"code":"(\w+)"/.exec(await answer.text())?.[1]];
  };
  const refused = [403, "unknown_path"];
  expect(await ask("POST", "/v1/completions")).toEqual(refused);
  expect(await ask("POST", "/model/m/invoke")).toEqual(refused);
  expect(await ask("DELETE", "/v1/files/f1")).toEqual(refused);
  expect(provider.received).toEqual([]);
  for (const [method, path] of [
    ["POST", "/v1/messages"],
    ["POST", "/v1/messages/count_tokens?beta=true"],
    ["POST", "/v1/responses/input_tokens"],
    ["POST", "/v1beta/models/m:countTokens"],
    ["GET", "/v1/models"],
    ["HEAD", "/"],
  ] as const)
    expect(await ask(method, path), path).toEqual([200, undefined]);
  folder.write("troupe.toml", '[gateway]\nunknown_paths = "pass"');
  expect(await gateway.reload()).toMatchObject({ reloaded: true });
  expect(await ask("POST", "/v1/completions")).toEqual([200, undefined]);
});

test("what is read at a model call's path is no model call; whatever brings a body there is one, or is refused", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((request, response) => {
    // As one does that is such a gateway too.
    response.setHeader("x-troupe-overhead-ms", "far away");
    response.end(`${request.method} ${request.url}`);
  });
  const guardrail = `{ kind: "llm_conditional_execution_guardrail", name: "none", handle: () => "no" }`;
  // A plugin may be called by its folder.
  const flags = ["--upstream", provider.url, "--plugin", dirname(folder.worker("shut", guardrail))];
  await using gateway = await GatewayProcess.start(flags);
  const url = `${gateway.url}/v1/chat/completions?limit=2`;
  const stored = await fetch(url);
  expect([stored.status, await stored.text()]).toEqual([200, "GET /v1/chat/completions?limit=2"]);
  expect(stored.headers.get("x-troupe-overhead-ms")).toMatch(/^[\d.]+$/);
  for (const method of ["HEAD", "OPTIONS"]) expect((await fetch(url, { method })).status).toBe(200);
  const { hostname, port, pathname: path } = new URL(url);
  for (const [method, status] of [
    ["GET", 405],
    ["OPTIONS", 405],
    ["DELETE", 405],
    ["PUT", 405],
    ["POST", 403],
  ] as const) {
    const sent = request({ hostname, port, path, method, headers: { "content-length": 2 } }).end("{}");
    const [answer] = await once(sent, "response");
    answer.resume();
    expect([method, answer.statusCode]).toEqual([method, status]);
  }
  expect(provider.received).toHaveLength(3);
});

test("no spelling of a path gets past a guardrail, and none leads to another host", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using stranger = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const guardrail = `{ kind: "llm_conditional_execution_guardrail", name: "none", handle: () => "no" }`;
  const flags = ["--upstream", provider.url, "--plugin", folder.worker("shut", guardrail)];
  await using gateway = await GatewayProcess.start(flags);
  const status = async (path: string) => {
    const { hostname, port } = new URL(gateway.url);
    const sent = request({ hostname, port, path, method: "POST" }).end("{}");
    const [answer] = await once(sent, "response");
    answer.resume();
    return answer.statusCode;
  };
  const host = new URL(stranger.url).host;
  const spellings = [
    "/v1//messages",
    "//v1/messages",
    "/v1/x/../messages",
    "/v1/%6Dessages",
    "/v1/messages/",
  ];
  for (const path of [...spellings, "/v1/x/%2e%2e/messages", "/v1/x%2F..%2Fmessages", "/chat/completions"])
    expect([path, await status(path)]).toEqual([path, 403]);
  expect(await status(`${stranger.url}/v1/messages`)).toBe(400);
  expect(await status("/%")).toBe(400);
  expect(provider.received).toEqual([]);
  // A path that begins with somebody's name is a path of the provider's.
  expect(await status(`//${host}/v1/models`)).toBe(200);
  expect(provider.received).toHaveLength(1);
  expect(stranger.received).toEqual([]);
});
