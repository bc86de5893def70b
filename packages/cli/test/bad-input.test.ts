/** What providers, clients and plugins may do to a gateway, and what the other side gets then: the very bytes, or a cut. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from "node:zlib";
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { FilesWritten } from "../src/run/files-written.ts";
import { RunSummary } from "../src/run/summary.ts";
import { linesOf, post, start, type Told } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";
import { recorded, spoilt } from "./support/recorded-streams.ts";

function endsOf(path: string): Told[] {
  return linesOf(path).filter(({ scope_category }) => scope_category === "end");
}

/** In pieces that end anywhere, in characters too. */
async function writeInPieces(response: ServerResponse, stream: Buffer, size: number): Promise<void> {
  for (let at = 0; at < stream.length; at += size) {
    response.write(stream.subarray(at, at + size));
    await new Promise(setImmediate);
  }
  response.end();
}

test("streams of three providers, whole and spoilt in every way, in pieces of any size: byte for byte as they came", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  let stream: Buffer = Buffer.alloc(0);
  let size = 1;
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    void writeInPieces(response, stream, size);
  });
  const gateway = await start(provider, { atof });
  const whole: string[] = [];
  for (const [path, original] of recorded)
    for (const [how, spoil] of Object.entries(spoilt)) {
      stream = spoil(original);
      // Every size up to that of a character, and one for the long ones.
      size = stream.length > 10_000 ? 4_099 : 1 + (whole.length % 5);
      whole.push(how);
      const answer = await post(gateway.url + path, '{"stream":true}');
      expect((await buffer(answer)).equals(stream), `${path}: ${how}`).toBe(true);
    }
  await gateway[Symbol.asyncDispose]();
  const ends = endsOf(atof);
  expect(ends).toHaveLength(whole.length);
  const read = ["as it is", "comments, ids and retries between", "lines that end with a carriage return"];
  for (const [n, how] of whole.entries())
    if (read.includes(how))
      expect(ends[n]?.category_profile, how).toMatchObject({
        annotated_response: { model: "m-1", usage: { prompt_tokens: 7, completion_tokens: 2 } },
      });
});

test("bombs of every packing, packings in packings, unknown ones, cut ones and no JSON go on as they are, and are told of by their size", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  const zeros = Buffer.alloc(4 * limits.gatewayReadBytes);
  const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  const bombs = [
    ["gzip", gzipSync(zeros)],
    ["br", brotliCompressSync(zeros, quick)],
    ["zstd", zstdCompressSync(zeros)],
    ["gzip, br", gzipSync("{}")],
    ["rot13", Buffer.from("{}")],
    ["gzip", Buffer.from("no gzip")],
    ["gzip", gzipSync("{}").subarray(0, 12)],
    ["identity", Buffer.from("<html>")],
  ] as const;
  await using provider = await ScriptedProvider.start((_request, response) => {
    const [encoding = "", body] = bombs[provider.received.length - 1] ?? [];
    response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding }).end(body);
  });
  const gateway = await start(provider, { atof });
  for (const [encoding, body] of bombs)
    expect((await buffer(await post(`${gateway.url}/v1/messages`))).equals(body), encoding).toBe(true);
  await gateway[Symbol.asyncDispose]();
  // A call ends when its answer is unpacked, or can't be: which is first, nobody knows.
  const told = endsOf(atof).map(({ data }) => [data.content, data.bytes]);
  expect(new Set(told.map(String))).toEqual(new Set(bombs.map(([, body]) => String([null, body.length]))));
});

test("requests and answers that are no JSON, or no object, are told of as they are, and nobody's log hears of it", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  const warned = vi.spyOn(console, "warn");
  onTestFinished(() => warned.mockRestore());
  const bodies = ["", "not JSON", "[1]", '"text"', "7", "null", '{"messages":7}'];
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(bodies[provider.received.length - 1]);
  });
  const gateway = await start(provider, { atof });
  for (const path of [
    "/v1/messages",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1beta/models/m:generateContent",
  ])
    for (const body of bodies) {
      provider.received.length = bodies.indexOf(body);
      expect(String(await buffer(await post(gateway.url + path, body)))).toBe(body);
    }
  await gateway[Symbol.asyncDispose]();
  expect(endsOf(atof)).toHaveLength(4 * bodies.length);
  expect(warned.mock.calls).toEqual([]);
});

test("an answer of 100 MiB goes through whole; a request of more than that is refused before anything goes out", async () => {
  const large = Buffer.alloc(limits.gatewayModelBodyBytes, "0123456789abcdef");
  await using provider = await ScriptedProvider.start((_request, response) => void response.end(large));
  await using gateway = await start(provider);
  const hash = createHash("sha256");
  for await (const chunk of await post(`${gateway.url}/v1/messages`)) hash.update(chunk);
  expect(hash.digest("hex")).toBe(createHash("sha256").update(large).digest("hex"));
  const refused = await post(`${gateway.url}/v1/messages`, Buffer.concat([large, Buffer.from("!")]));
  expect(refused.statusCode).toBe(413);
  expect(JSON.parse(`${await buffer(refused)}`)).toMatchObject({
    type: "error",
    error: { code: "gateway.body_too_large" },
  });
  expect(provider.received).toHaveLength(1);
});

test("a provider's refusals go on as they are; one that is cut is cut for the client too, and never ends well", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  const steps: ((response: ServerResponse) => void)[] = [
    (response) =>
      void response.writeHead(429, "Slow", { "retry-after": "7", "content-type": "text/plain" }).end("slow"),
    (response) => void response.writeHead(529, { "content-type": "text/html" }).end("<html>"),
    (response) => void response.socket?.destroy(),
    (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write("data: {}\n\n");
      setImmediate(() => response.socket?.destroy());
    },
    (response) => {
      response.writeHead(200, { "content-length": "100" }).write("half");
      setImmediate(() => response.socket?.destroy());
    },
  ];
  await using provider = await ScriptedProvider.start((_request, response) =>
    steps[provider.received.length - 1]?.(response),
  );
  const gateway = await start(provider, { atof });
  const ask = () => post(`${gateway.url}/v1/messages`);
  const slow = await ask();
  expect([slow.statusCode, slow.statusMessage, slow.headers["retry-after"], `${await buffer(slow)}`]).toEqual(
    [429, "Slow", "7", "slow"],
  );
  const over = await ask();
  expect([over.statusCode, over.headers["content-type"], `${await buffer(over)}`]).toEqual([
    529,
    "text/html",
    "<html>",
  ]);
  const gone = await ask();
  expect(gone.statusCode).toBe(502);
  gone.resume();
  for (const _cut of ["a stream", "half of a length"])
    await expect(buffer(await ask())).rejects.toThrow("aborted");
  await gateway[Symbol.asyncDispose]();
  const said = endsOf(atof).map(({ metadata }) => metadata["otel.status_description"]);
  const cut = `${provider.url} closed the connection in the middle of its answer`;
  expect(said.slice(-2)).toEqual([cut, cut]);
});

test("an answer that its provider refused, or ended before its end, is an error in the trace and in the summary", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  const [, chat = Buffer.of()] = recorded[0] ?? [];
  const done = "data: [DONE]\n\n";
  const answers: (readonly [status: number, type: string, body: string | Buffer])[] = [
    [429, "application/json", '{"error":{"message":"Slow down","type":"rate_limit"}}'],
    [503, "text/html", "<html>"],
    [200, "text/event-stream", chat],
    [200, "text/event-stream", chat.subarray(0, chat.indexOf('"finish_reason"'))],
    // As some servers end theirs, which speak as OpenAI does.
    [200, "text/event-stream", `data: {"model":"m-1","choices":[{"index":0,"delta":{}}]}\n\n${done}`],
    [200, "text/event-stream", `data: {"error":{"message":"overloaded"}}\n\n${done}`],
    [200, "text/html", "<html>sign in</html>"],
    [200, "application/json", '{"model":"m-1","choices":['],
    [302, "text/plain", "over there"],
    [200, "Text/Event-Stream; charset=utf-8", chat],
  ];
  await using provider = await ScriptedProvider.start((_request, response) => {
    const [status = 500, type = "", body] = answers[provider.received.length - 1] ?? [];
    response.writeHead(status, { "content-type": type }).end(body);
  });
  const summary = new RunSummary(new FilesWritten("/nowhere", 0));
  const gateway = await start(provider, { atof, listen: (relay) => summary.listen(relay) });
  for (const [status, , body] of answers) {
    const answer = await post(`${gateway.url}/v1/chat/completions`);
    expect([answer.statusCode, `${await buffer(answer)}`]).toEqual([status, `${body}`]);
  }
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  await gateway[Symbol.asyncDispose]();
  const why = (reason: string) => `"openai.chat_completions" failed at its provider: ${reason}`;
  const reasons = [
    "status 429: Slow down",
    "status 503",
    "its stream ended early",
    "overloaded",
    "its answer, of the type text/html, is no JSON, or ended early",
    "its answer, of the type application/json, is no JSON, or ended early",
    "status 302",
  ].map(why);
  expect(endsOf(atof).map(({ metadata }) => metadata["otel.status_description"])).toEqual([
    ...reasons.slice(0, 2),
    undefined,
    reasons[2],
    undefined,
    ...reasons.slice(3),
    undefined,
  ]);
  expect(summary.text(1).split("\n")).toEqual([
    "troupe: 10 model calls in 1.0 s, 7 failed",
    "  m-1: 3 calls, 14 tokens in, 4 out",
    '  price: not known; a component "pricing" in troupe.toml says what tokens cost',
    ...reasons.slice(0, 3).map((reason) => `  failed: ${reason}`),
    "",
  ]);
  for (const told of ['status="ok",type="llm"} 3\n', 'status="error",type="llm"} 7\n'])
    expect(metrics).toContain(`name="openai.chat_completions",${told}`);
});

test("no header of a middleware or a client makes another one", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  let value = "1\r\nx-evil: 1";
  await using gateway = await start(provider, {
    listen: (relay) => {
      relay.registerLlmRequestIntercept("odd", ({ request: { headers, content } }) => ({
        request: { headers: { ...headers, "x-odd": value }, content },
      }));
    },
  });
  expect((await post(`${gateway.url}/v1/messages`)).statusCode).toBe(500);
  expect(provider.received).toEqual([]);
  value = "fine";
  expect((await post(`${gateway.url}/v1/messages`)).statusCode).toBe(200);
  // A request in a request: two lengths, and a header with a line feed of its own.
  const { host, hostname, port, pathname } = new URL(gateway.url);
  for (const [odd, status] of [
    ["Content-Length: 2\r\nTransfer-Encoding: chunked", 400],
    ["X-A: 1\nX-Evil\u0000: 1", 400],
    ["Content-Length: 2\r\nContent-Length: 30", 400],
    [`Content-Length: 2\r\nHost: ${host}`, 400],
    ["Content-Length: 2\r\nOrigin: https://evil.example", 403],
  ] as const) {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.end(`POST ${pathname}/v1/messages HTTP/1.1\r\nHost: ${host}\r\n${odd}\r\n\r\n{}`);
    expect(`${await buffer(socket)}`).toMatch(`HTTP/1.1 ${status} `);
  }
  expect(provider.received).toHaveLength(1);
});

test("no key of an agent, of a request or of an answer is in the trace, the metrics or the log, and all of them go through", async () => {
  using folder = new PluginFolder();
  const atof = join(folder.path, "trace.jsonl");
  const logged = [vi.spyOn(console, "warn"), vi.spyOn(console, "error"), vi.spyOn(console, "log")];
  onTestFinished(() => {
    for (const spy of logged) spy.mockRestore();
  });
  const keys = ["agent", "query", "said", "answered", "basic"].map(
    (name) => `sk-ant-api03-${name}-${"x".repeat(40)}`,
  );
  const [agent = "", query = "", said = "", answered = "", basic = ""] = keys;
  const told = JSON.stringify({ content: [{ type: "text", text: `export API_KEY=${answered}` }] });
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "set-cookie": `id=${answered}` }).end(told);
  });
  const gateway = await start(provider, { atof });
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: `my key is ${said}` }] });
  for (const path of ["/v1/messages", "/v1/models", "/v1beta/models/m:generateContent"]) {
    const headers = { "x-api-key": agent, authorization: `Bearer ${agent}`, cookie: `key=${basic}` };
    const sent = request(`${gateway.url}${path}?key=${query}`, { method: "POST", headers });
    const arrived: Promise<IncomingMessage[]> = once(sent, "response");
    sent.end(body);
    const [answer] = await arrived;
    expect(answer === undefined ? "" : `${await buffer(answer)}`).toBe(told);
    const { url, headers: got, body: bytes } = provider.received.at(-1) ?? {};
    expect(`${url} ${got?.join(" ")} ${bytes}`).toMatch(
      new RegExp([query, agent, basic, said].map((key) => `(?=[^]*${key})`).join("")),
    );
  }
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  await gateway[Symbol.asyncDispose]();
  const everything = [
    readFileSync(atof, "utf8"),
    metrics,
    JSON.stringify(logged.map(({ mock }) => mock.calls)),
  ];
  expect(linesOf(atof).length).toBeGreaterThanOrEqual(5);
  for (const key of keys) expect(everything.map((text) => text.includes(key))).toEqual([false, false, false]);
});

test("a plugin that dies while a stream goes on takes nothing of it along, and guards on by refusing", async () => {
  using folder = new PluginFolder();
  const dying = `{
    kind: "tool_conditional_execution_guardrail",
    name: "dying",
    handle: () => process.exit(9),
  }`;
  const goOn = Promise.withResolvers<void>();
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
    void goOn.promise.then(() => response.end("data: 2\n\n"));
  });
  await using gateway = await start(provider, { plugin: [folder.worker("frail", dying)] });
  const answer = await post(`${gateway.url}/v1/messages`);
  const [first] = await once(answer, "data");
  const decided = await post(`${gateway.url}/hooks/tool`, '{"name":"ls"}');
  expect(JSON.parse(`${await buffer(decided)}`)).toMatchObject({ decision: "deny" });
  goOn.resolve();
  expect(`${first}${await buffer(answer)}`).toBe("data: 1\n\ndata: 2\n\n");
});
