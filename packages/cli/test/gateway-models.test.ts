/** Model calls through the gateway: bytes as they are, refusals in the provider's own words. */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

/** Keys out of order, odd spaces, escapes and digits that JSON.stringify would write otherwise. */
const oddBody = Buffer.from('{ "model":"m-1" , "b":1.0, "a":"\\u00e9 é", "messages":[ ] }\n');

async function post(
  url: string,
  path: string,
  body: Buffer,
  headers: string[] = [],
): Promise<IncomingMessage> {
  const sent = httpRequest(url + path, {
    method: "POST",
    headers: ["Host", new URL(url).host, "Content-Length", `${body.length}`, ...headers],
  });
  sent.end(body);
  const [answer] = await once(sent, "response");
  return answer;
}

test("a buffered call: every byte and header of both bodies is as it was", async () => {
  const answerBody = gzipSync('{"choices":[]}');
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(201, "Made", [
      ...["Content-Type", "application/json", "Content-Encoding", "gzip"],
      ...["X-Request-Id", "r1", "x-twice", "1", "x-twice", "2"],
    ]);
    response.end(answerBody);
  });
  await using gateway = await GatewayProcess.start(["--upstream", `${provider.url}/base/`]);
  const answer = await post(gateway.url, "/v1/chat/completions?beta=1", oddBody, [
    ...["Authorization", "Bearer k", "X-Odd-Case", "v", "Connection", "close, x-hop", "X-Hop", "1"],
  ]);
  expect(answer).toMatchObject({ statusCode: 201, statusMessage: "Made" });
  expect(answer.headers).toMatchObject({
    "content-encoding": "gzip",
    "x-request-id": "r1",
    "x-twice": "1, 2",
  });
  expect(await buffer(answer)).toEqual(answerBody);
  const [received] = provider.received;
  expect(received?.url).toBe("/base/v1/chat/completions?beta=1");
  expect(received?.body).toEqual(oddBody);
  expect(received?.headers).toEqual(expect.arrayContaining(["Authorization", "Bearer k", "X-Odd-Case", "v"]));
  expect(received?.headers.map((name) => name.toLowerCase())).not.toContain("x-hop");
  expect(received?.headers.map((name) => name.toLowerCase())).not.toContain("traceparent");
});

test("a streamed answer goes on piece by piece, split characters and all", async () => {
  const pieces = [Buffer.from("data: \xf0\x9f", "latin1"), Buffer.from("\x98\x80\n\n: ping\n\n", "latin1")];
  const goOn = Promise.withResolvers<void>();
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(pieces[0]);
    void goOn.promise.then(() => response.end(pieces[1]));
  });
  await using gateway = await GatewayProcess.start(["--upstream", provider.url]);
  const answer = await post(gateway.url, "/v1/messages", oddBody);
  const [first] = await once(answer, "data");
  expect(first).toEqual(pieces[0]);
  goOn.resolve();
  expect(await buffer(answer)).toEqual(pieces[1]);
});

test("a client that goes away takes its request to the provider with it", async () => {
  const closed = Promise.withResolvers<void>();
  await using provider = await ScriptedProvider.start((request, response) => {
    response.writeHead(200).write("first");
    request.socket.once("close", () => closed.resolve());
  });
  await using gateway = await GatewayProcess.start(["--upstream", provider.url]);
  const answer = await post(gateway.url, "/v1/messages", oddBody);
  answer.once("error", () => undefined).destroy();
  await closed.promise;
});

test("a worker's guardrail refuses a request: 403 in the provider's own words, and nothing goes out", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const guardrail = `{
    kind: "llm_conditional_execution_guardrail",
    name: "models",
    handle: ({ request }) => (request.content.model === "m-1" ? "m-1 is not for us" : null),
  }`;
  const flags = ["--upstream", provider.url, "--plugin", folder.worker("budget", guardrail)];
  await using gateway = await GatewayProcess.start(flags);
  const message = 'Guardrail "budget/models" rejected the call: m-1 is not for us';
  const openai = await post(gateway.url, "/v1/chat/completions", oddBody);
  expect(openai.statusCode).toBe(403);
  expect(JSON.parse(`${await buffer(openai)}`)).toEqual({
    error: { message, type: "permission_error", param: null, code: "relay.guardrail_rejected" },
  });
  const anthropic = await post(gateway.url, "/v1/messages", oddBody);
  expect(anthropic.statusCode).toBe(403);
  expect(JSON.parse(`${await buffer(anthropic)}`)).toMatchObject({
    type: "error",
    error: { type: "permission_error", message },
  });
  expect(provider.received).toEqual([]);
  const other = await post(gateway.url, "/v1/messages", Buffer.from('{"model":"m-2"}'));
  expect(other.statusCode).toBe(200);
});

test("a request intercept's change reaches the provider", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const intercept = `{
    kind: "llm_request_intercept",
    name: "cheaper",
    handle: ({ request }) => ({
      request: { headers: { ...request.headers, "x-team": "blue" }, content: { ...request.content, model: "m-0" } },
    }),
  }`;
  const flags = ["--upstream", provider.url, "--plugin", folder.worker("cheap", intercept)];
  await using gateway = await GatewayProcess.start(flags);
  expect((await post(gateway.url, "/v1/messages", oddBody)).statusCode).toBe(200);
  const [received] = provider.received;
  expect(JSON.parse(`${received?.body}`)).toEqual({ model: "m-0", b: 1, a: "é é", messages: [] });
  expect(received?.headers).toEqual(expect.arrayContaining(["x-team", "blue"]));
});

test("no provider, an unreachable one, and what isn't there", async () => {
  await using provider = await ScriptedProvider.start(() => undefined);
  const { url } = provider;
  await provider[Symbol.asyncDispose]().catch(() => undefined);
  await using without = await GatewayProcess.start([]);
  await using unreachable = await GatewayProcess.start(["--upstream", url]);
  const statusOf = async (base: string, path: string, headers: string[] = []) =>
    (await post(base, path, oddBody, headers)).statusCode;
  expect(await statusOf(without.url, "/v1/messages")).toBe(503);
  expect(await statusOf(unreachable.url, "/v1/messages")).toBe(502);
  expect(await statusOf(without.url, "/v1/other")).toBe(404);
  expect(await statusOf(without.url, "/hooks/tool")).toBe(400);
  expect(await statusOf(without.url, "/hooks/tool", ["Origin", "https://evil.example"])).toBe(403);
  expect((await fetch(`${without.url}/hooks/tool`)).status).toBe(405);
  for (const probe of ["/livez", "/readyz"]) expect((await fetch(without.url + probe)).status).toBe(200);
});
