/** An agent's model traffic through its actor's own proxy: a part of its prompt, under the relay's guardrails. */
import { agentOS, type ModelsConfig } from "@troupe/agent-os";
import type { Relay } from "@troupe/relay";
import { setup, setupTest, type TestScope } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { serveWeb } from "../../../runtime/test/egress/web.ts";
import { Listener } from "../../../runtime/test/relay/listener.ts";
import { scripted } from "../support/agents.ts";

const answer = {
  type: "message",
  role: "assistant",
  model: "m",
  content: [{ type: "text", text: "tulip" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 7, output_tokens: 3 },
};

/** A provider, and a workspace whose agent speaks to it through the proxy. */
async function place(t: TestScope, relay?: Relay, options: Pick<ModelsConfig, "unknownPaths"> = {}) {
  const provider = await serveWeb({
    "/v1/messages": (_request, response) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    },
    "/v1/messages/batches": (_request, response) => void response.end("a batch"),
    "/v1/messages/count_tokens": (_request, response) => void response.end("7"),
    "/v1/models": (_request, response) => void response.end("a list"),
  });
  const models: ModelsConfig = {
    upstreams: { anthropic: provider.origin },
    keys: { anthropic: "the-hosts" },
    ...options,
  };
  const workspace = agentOS({ agents: { scripted }, models });
  const use = { workspace };
  const { client } = await setupTest(t, setup(relay === undefined ? { use } : { use, relay }));
  const handle = client.workspace.getOrCreate(["a"]);
  const say = async (content: string) => {
    await handle.prompt({ content });
    const { events } = await handle.readHistory();
    const event = events.at(-1)?.event;
    return event !== undefined && "content" in event
      ? String(Reflect.get(Object(event.content), "text"))
      : "";
  };
  await handle.openSession();
  return { provider, handle, say };
}

test("what an agent says to its model is a call below its prompt, with its usage; a guardrail's no keeps it from being said", async (t) => {
  const listener = new Listener();
  listener.relay.registerLlmConditionalExecutionGuardrail("no secrets", (request) =>
    JSON.stringify(request).includes("the secret") ? "not that" : undefined,
  );
  const { provider, say } = await place(t, listener.relay);
  await listener.forget();
  expect(await say("model hello")).toBe(`200 ${JSON.stringify(answer)}`);
  const prompt = await listener.start("workspace.prompt");
  const model = await listener.start("anthropic.messages");
  expect([model.category, model.parent_uuid]).toEqual(["llm", prompt.uuid]);
  // It ends behind the last byte of its answer, which the agent has before.
  const end = await vi.waitFor(() => listener.end("anthropic.messages"), { timeout: 20_000 });
  expect(JSON.stringify(end)).toMatch(/"(prompt|input)_tokens":7/);
  // The host's key, which the agent never has, and nothing of the agent's own.
  expect(provider.asked.map(({ headers }) => headers["x-api-key"])).toEqual(["the-hosts"]);
  const refused = await say("model the secret");
  expect(refused).toMatch(/^403 .*guardrail_rejected/);
  // Between prompts too.
  const [url] = JSON.parse(await say("models")) as string[];
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "the secret" }] });
  const between = await fetch(`${url}/v1/messages`, { method: "POST", body });
  expect([between.status, await between.text()]).toEqual([
    403,
    expect.stringContaining("guardrail_rejected"),
  ]);
  expect(provider.asked.length).toBe(1);
}, 60_000);

test("an agent's address is its session's alone, and ends with it; without a relay calls pass as they are", async (t) => {
  const { handle, say } = await place(t);
  expect(await say("model hello")).toMatch(/^200 /);
  const [url, ...others] = JSON.parse(await say("models")) as (string | null)[];
  expect(others).toEqual([null, null]);
  const status = async (at: string, headers: Record<string, string> = {}) => {
    try {
      return (await fetch(at, { headers })).status;
    } catch {
      return "closed";
    }
  };
  expect(await status(`${url}/v1/models`, { "anthropic-version": "1" })).toBe(200);
  expect(await status(`${url}/v1/models`, { "anthropic-version": "1", origin: "https://example.com" })).toBe(
    403,
  );
  expect(await status(`${new URL(url ?? "").origin}/v1/models`)).toBe(403);
  const stranger = await fetch(`${new URL(url ?? "").origin}/t/guess/v1/models`);
  expect(await stranger.json()).toMatchObject({ error: { group: "models", code: "token_required" } });
  expect(await status(`${url}/v1/files`)).toBe(404);
  await handle.unloadSession();
  await expect.poll(() => status(`${url}/v1/models`, { "anthropic-version": "1" })).toBe(403);
}, 60_000);

test("what may ask a model where no guardrail sees it isn't sent with the program's key, unless it may; what reads or counts goes on", async (t) => {
  const ask = async (at: Awaited<ReturnType<typeof place>>, method: string, path: string) => {
    const [url] = JSON.parse(await at.say("models")) as string[];
    const body = method === "GET" ? {} : { body: "{}" };
    const answer = await fetch(url + path, { method, headers: { "anthropic-version": "1" }, ...body });
    return [answer.status, /"code":"(\w+)"/.exec(await answer.text())?.[1]];
  };
  const closed = await place(t);
  const refused = [403, "unknown_path"];
  expect(await ask(closed, "POST", "/v1/messages/batches")).toEqual(refused);
  expect(await ask(closed, "POST", "/v1//messages/x/../b%61tches")).toEqual(refused);
  expect(await ask(closed, "DELETE", "/v1/messages/batches/b1")).toEqual(refused);
  expect((await ask(closed, "PUT", "/v1/messages"))[0]).toBe(405);
  expect(closed.provider.asked).toEqual([]);
  for (const [method, path] of [
    ["GET", "/v1/models"],
    ["GET", "/v1/messages/batches"],
    ["POST", "/v1/messages/count_tokens?beta=true"],
  ] as const)
    expect(await ask(closed, method, path), path).toEqual([200, undefined]);
  const open = await place(t, undefined, { unknownPaths: "pass" });
  expect(await ask(open, "POST", "/v1/messages/batches")).toEqual([200, undefined]);
  expect((await ask(open, "PUT", "/v1/messages"))[0]).toBe(405);
}, 60_000);

test("models are addresses of providers, and keys are for them", () => {
  const wrong = (models: unknown) => () => agentOS({ agents: { scripted }, models: models as ModelsConfig });
  expect(wrong({ upstreams: {} })).toThrow("models.upstreams");
  expect(wrong({ upstreams: { mistral: "https://x" } })).toThrow("models.upstreams.mistral");
  expect(wrong({ upstreams: { openai: "file:///x" } })).toThrow("models.upstreams.openai");
  expect(wrong({ upstreams: { openai: "https://x" }, keys: { gemini: "k" } })).toThrow("models.keys.gemini");
  expect(wrong({ upstreams: { openai: "https://x" }, keys: { openai: "a\nb" } })).toThrow(
    "models.keys.openai",
  );
  expect(wrong({ upstreams: { openai: "https://x" }, unknownPaths: "allow" })).toThrow("models.unknownPaths");
  expect(wrong({ upstream: "https://x" })).toThrow('no option "upstream"');
});
