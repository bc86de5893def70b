/** What a guardrail must see: every packing and spelling that a provider may read, at every address of a known API. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { limits } from "@troupe/protocol";
import type { LlmRequest, Relay } from "@troupe/relay";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { ScriptedProvider } from "./support/provider.ts";

async function start(provider: { readonly url: string }, listen: (relay: Relay) => void = () => {}) {
  const options = readOptions({ bind: "127.0.0.1:0", upstream: [provider.url] }, { cwd: "/" });
  return await Gateway.start(options, { agent: { token: "a-secret-of-its-own", session: "s", listen } });
}

async function post(url: string, body: Uint8Array | string, encoding?: string): Promise<IncomingMessage> {
  const headers = encoding === undefined ? {} : { "content-encoding": encoding };
  const sent = request(url, { method: "POST", headers });
  const answered: Promise<IncomingMessage[]> = once(sent, "response");
  sent.end(body);
  const [answer] = await answered;
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

/** Refuses what says "forbidden". */
const guarded = (relay: Relay): void => {
  relay.registerLlmConditionalExecutionGuardrail(
    "words",
    ({ request: { content } }: { request: LlmRequest }) =>
      JSON.stringify(content).includes("forbidden") ? "a forbidden word" : null,
  );
};

const forbidden = JSON.stringify({ model: "m", messages: [{ role: "user", content: "forbidden" }] });
const allowed = forbidden.replace("forbidden", "fine");
const packed = (text: string): readonly (readonly [string | undefined, Buffer])[] => [
  ["gzip", gzipSync(text)],
  ["X-GZIP", gzipSync(text)],
  ["deflate", deflateSync(text)],
  ["br", brotliCompressSync(text)],
  ["zstd", zstdCompressSync(text)],
  [undefined, Buffer.from(`\ufeff${text}`)],
];

test("a packed body, and one with a mark of its byte order, is read by guardrails and goes on as the bytes that came", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using gateway = await start(provider, guarded);
  for (const [encoding, body] of packed(forbidden)) {
    const refused = await post(`${gateway.url}/v1/messages`, body, encoding);
    expect([encoding, refused.statusCode]).toEqual([encoding, 403]);
  }
  expect(provider.received).toEqual([]);
  for (const [encoding, body] of packed(allowed)) {
    expect((await post(`${gateway.url}/v1/messages`, body, encoding)).statusCode).toBe(200);
    const { body: received, headers } = provider.received.at(-1) ?? {};
    expect(received?.equals(body), encoding).toBe(true);
    if (encoding !== undefined) expect(headers).toContain(encoding);
  }
});

test("a body that can't be read is refused in its provider's words while anything would have to see it, and goes on where nothing would", async () => {
  const zeros = Buffer.alloc(limits.gatewayModelBodyBytes + 1);
  const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  const unreadable: readonly (readonly [string | undefined, Buffer])[] = [
    [undefined, Buffer.from(forbidden, "utf16le")],
    [undefined, Buffer.from(`${forbidden}}`)],
    [undefined, Buffer.alloc(0)],
    ["gzip, br", brotliCompressSync(gzipSync(forbidden))],
    ["rot13", Buffer.from(forbidden)],
    ["gzip", Buffer.from(forbidden)],
    ["gzip", gzipSync(forbidden).subarray(0, -9)],
    ["br", brotliCompressSync(zeros, quick)],
  ];
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using gateway = await start(provider, guarded);
  for (const [encoding, body] of unreadable) {
    const answer = await post(`${gateway.url}/v1/messages`, body, encoding);
    const told = { encoding, status: answer.statusCode, body: await json(answer) };
    const error = { type: "invalid_request_error", code: "gateway.body_unread" };
    expect(told).toMatchObject({ encoding, status: 400, body: { type: "error", error } });
  }
  expect(provider.received).toEqual([]);
  await using open = await start(provider);
  for (const [encoding, body] of unreadable)
    expect((await post(`${open.url}/v1/messages`, body, encoding)).statusCode).toBe(200);
  expect(provider.received.map(({ body }) => body.length)).toEqual(unreadable.map(([, body]) => body.length));
});

test("a key that stands twice in one object is refused in its provider's words while anything would be shown one of them", async () => {
  const twice = `{"messages":[{"role":"user","content":"forbidden"}],${allowed.slice(1)}`;
  const nested = '{"model":"m","messages":[{"role":"user","content":"forbidden","c\\u006fntent":"fine"}]}';
  const bodies = [twice, nested].flatMap((text) => [
    [undefined, Buffer.from(text)] as const,
    ...packed(text),
  ]);
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using gateway = await start(provider, guarded);
  for (const [encoding, body] of bodies) {
    const answer = await post(`${gateway.url}/v1/messages`, body, encoding);
    expect([encoding, answer.statusCode, await json(answer)]).toMatchObject([
      encoding,
      400,
      { type: "error", error: { type: "invalid_request_error", code: "gateway.key_repeated" } },
    ]);
  }
  expect(provider.received).toEqual([]);
  await using open = await start(provider);
  for (const [encoding, body] of bodies)
    expect((await post(`${open.url}/v1/messages`, body, encoding)).statusCode).toBe(200);
});

test("what an intercept makes of a packed body goes on unpacked, and says so", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using gateway = await start(provider, (relay) => {
    relay.registerLlmRequestIntercept("cheaper", ({ request: { headers, content } }) => ({
      request: { headers, content: { ...Object(content), model: "cheap" } },
    }));
  });
  const answer = await post(`${gateway.url}/v1/messages`, gzipSync(forbidden), "gzip");
  expect(answer.statusCode).toBe(200);
  const [received] = provider.received;
  expect(JSON.parse(`${received?.body}`)).toMatchObject({ model: "cheap" });
  expect(received?.headers.map((name) => name.toLowerCase())).not.toContain("content-encoding");
});

const vertex = "/v1/projects/p/locations/l";

test.each([
  ["/v1beta/openai/chat/completions", "openai.chat_completions", "m"],
  [`${vertex}/endpoints/openapi/chat/completions`, "openai.chat_completions", "m"],
  ["/openai/deployments/mine/chat/completions?api-version=1", "openai.chat_completions", "m"],
  ["/openai/v1/chat/completions", "openai.chat_completions", "m"],
  ["/v1/responses/compact", "openai.responses", "m"],
  ["/openai/responses", "openai.responses", "m"],
  ["/anthropic/v1/messages", "anthropic.messages", "m"],
  [`${vertex}/publishers/anthropic/models/claude@20250101:streamRawPredict`, "anthropic.messages", "claude"],
  ["/v1beta/tunedModels/own:generateContent", "gemini.generate_content", "own"],
  [`${vertex}/publishers/google/models/gem:generateContent`, "gemini.generate_content", "gem"],
  [`${vertex}/endpoints/7:streamGenerateContent?alt=sse`, "gemini.generate_content", "7"],
  ["/v1beta1/publishers/google/models/gem%3AgenerateContent", "gemini.generate_content", "gem"],
])("a call to %s is one of %s", async (path, name, model) => {
  const seen: unknown[] = [];
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using gateway = await start(provider, (relay) => {
    guarded(relay);
    relay.registerSubscriber("seen", (event) => {
      if (event.category === "llm") seen.push([event.name, event.category_profile?.model_name]);
    });
  });
  expect((await post(gateway.url + path, allowed)).statusCode).toBe(200);
  expect((await post(gateway.url + path, forbidden)).statusCode).toBe(403);
  expect(provider.received).toMatchObject([{ url: path }]);
  await gateway[Symbol.asyncDispose]();
  expect(seen[0]).toEqual([name, model]);
});

test.each(["/v1/threads/t/messages", `${vertex}/publishers/anthropic/models/count-tokens:rawPredict`])(
  "%s is no call of a known shape, and goes on as it is",
  async (path) => {
    await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
    await using gateway = await start(provider, guarded);
    expect((await post(gateway.url + path, forbidden)).statusCode).toBe(200);
  },
);

test("what isn't UTF-8 is refused where anything guards: a provider may leave out a bad byte, and read another word", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const [before = "", after = ""] = forbidden.split("bid");
  const body = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(`bid${after}`)]);
  await using gateway = await start(provider, guarded);
  for (const [encoding, bytes] of [
    [undefined, body],
    ["gzip", gzipSync(body)],
  ] as const) {
    const refused = await post(`${gateway.url}/v1/messages`, bytes, encoding);
    expect([refused.statusCode, JSON.stringify(await json(refused))]).toEqual([
      400,
      expect.stringContaining("gateway.body_unread"),
    ]);
  }
  expect(provider.received).toEqual([]);
  await using open = await start(provider);
  expect((await post(`${open.url}/v1/messages`, body)).statusCode).toBe(200);
  expect(provider.received[0]?.body.equals(body)).toBe(true);
});

test("a path with parameters is the path that a provider may read in it, and its refusal says how long it took", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using gateway = await start(provider, guarded);
  for (const path of ["/v1/messages;x=1", "/v1;a/messages", "/v1/messages%3bx"]) {
    const refused = await post(gateway.url + path, forbidden);
    expect([path, refused.statusCode]).toEqual([path, 403]);
    expect(refused.headers["x-troupe-overhead-ms"]).toMatch(/^\d+\.\d\d$/);
  }
  expect(provider.received).toEqual([]);
  const hook = await post(`${gateway.url}/hooks/tool`, '{"name":"ls"}');
  expect(hook.headers["x-troupe-overhead-ms"]).toMatch(/^\d+\.\d\d$/);
});
