/** Bodies that no plugin's session can carry are their client's to mend: it is told what is wrong with them, and not to try again. */
import { json } from "node:stream/consumers";
import { expect, test } from "vitest";
import { linesOf, post, start } from "./support/gateway-calls.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

const guard = `{ kind: "llm_conditional_execution_guardrail", name: "all", handle: () => null },
  { kind: "llm_request_intercept", name: "odd", handle: ({ request }) => ({
      request: request.content.user === "odd" ? { ...request, headers: { ...request.headers, "x-evil": "a\\r\\nb: c" } } : request }) }`;

test("a body that a plugin can't be shown is refused with the reason, in its provider's words", async () => {
  using folder = new PluginFolder();
  const atof = folder.write("trace.jsonl", "");
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const gateway = await start(provider, { atof, plugin: [folder.worker("guard", guard)] });
  const url = `${gateway.url}/v1/messages`;
  const said: unknown[] = [];
  for (const body of [
    `{"messages":"${"x".repeat(65 * 1024 * 1024)}"}`,
    '{"__proto__":{"x":1},"messages":[]}',
    `{"messages":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    '{"user":"odd"}',
  ]) {
    const answer = await post(url, body);
    said.push([answer.statusCode, Object(await json(answer)).error]);
  }
  await gateway[Symbol.asyncDispose]();
  const type = "invalid_request_error";
  const code = "gateway.body_unshown";
  expect(said).toMatchObject([
    [413, { type: "request_too_large", code, message: expect.stringContaining("the limit is 67108864") }],
    [400, { type, code, message: expect.stringContaining('has the key "__proto__"') }],
    [400, { type, code, message: expect.stringMatching(/^What guards .{200,350}$/s) }],
    [
      500,
      { type: "api_error", code: "relay.middleware_failed", message: expect.stringContaining("guard/odd") },
    ],
  ]);
  expect(provider.received).toEqual([]);
  const reason =
    "The llm_request_intercept guard/odd failed: The intercept guard/odd must answer a header x-evil that HTTP can say";
  expect(JSON.stringify(linesOf(atof)).replaceAll('\\"', "")).toContain(reason);
});
