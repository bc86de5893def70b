/** `/metrics`: what a gateway counts, in words that Prometheus reads, and for this machine's eyes alone. */
import { once } from "node:events";
import { request } from "node:http";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { ScriptedProvider } from "./support/provider.ts";

const reply = {
  type: "message",
  model: "claude-x",
  role: "assistant",
  content: [],
  usage: { input_tokens: 5, output_tokens: 3 },
};

test("a label is no secret, whoever named a tool after one", async () => {
  await using gateway = await Gateway.start(readOptions({ bind: "127.0.0.1:0" }, { cwd: "/" }), {
    agent: {
      token: "a-secret-of-its-own",
      session: "s",
      listen: (relay) => relay.registerToolConditionalExecutionGuardrail("open", () => null),
    },
  });
  const key = `sk-ant-api03-${"x".repeat(40)}`;
  const origin = gateway.url;
  await fetch(`${origin}/hooks/tool`, { method: "POST", body: JSON.stringify({ name: key }) });
  const scraped = async () => (await fetch(`${origin}/metrics`)).text();
  await expect.poll(scraped).toContain("[REDACTED]");
  expect(await scraped()).not.toContain("sk-ant");
});

test("answers, overhead, calls and tokens are counted; labels are routes, statuses and names, never what a request brings", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply));
  });
  await using gateway = await Gateway.start(
    readOptions({ bind: "127.0.0.1:0", upstream: [provider.url] }, { cwd: "/" }),
  );
  const post = (path: string, body: unknown) =>
    fetch(gateway.url + path, { method: "POST", body: JSON.stringify(body) }).then((answer) => answer.text());
  for (const path of ["/v1/messages", "/v1/messages", "/v1/files/secret-name"])
    await post(path, { model: "asked" });
  await post("/hooks/tool", { name: "ls" });
  await post("/hooks/nobody", {});
  await post("//plugins", {});
  const scraped = async () => (await fetch(`${gateway.url}/metrics`)).text();
  await expect.poll(scraped).toMatch(/troupe_relay_tokens_total\{model="claude-x",type="output"\} 6/);
  const text = await scraped();
  for (const line of [
    'troupe_gateway_requests_total{route="model",status="200"} 2',
    'troupe_gateway_requests_total{route="pass_through",status="200"} 1',
    'troupe_gateway_requests_total{route="hook",status="200"} 1',
    'troupe_gateway_requests_total{route="hook",status="404"} 1',
    'troupe_gateway_requests_total{route="own",status="405"} 1',
    // The one that asks.
    "troupe_gateway_requests_in_flight 1",
    "troupe_gateway_overhead_seconds_count 3",
    'troupe_gateway_overhead_seconds_bucket{le="+Inf"} 3',
    'troupe_relay_calls_total{name="anthropic.messages",status="ok",type="llm"} 2',
    'troupe_gateway_tool_decisions_total{decision="allow",tool="ls"} 1',
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).not.toContain("secret-name");
  for (const line of text.trimEnd().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|[\w:]+(\{.*\})? [\d.e+-]+)$/);

  const sent = request(`${gateway.url}/metrics`, { headers: { host: "gateway.internal" } }).end();
  const [answer] = await once(sent, "response");
  answer.resume();
  expect(answer.statusCode).toBe(403);
  expect((await fetch(`${gateway.url}/metrics`, { method: "POST" })).status).toBe(405);
});
