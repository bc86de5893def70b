/** Tools of the program's own, as agents call them; other MCP servers; and agents that want to know who asks. */
import { type AgentOSConfig, agentOS } from "@troupe/agent-os";
import { UserError } from "@troupe/base";
import { setup, setupTest, type TestScope } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Listener } from "../../../runtime/test/relay/listener.ts";
import type { HookContext } from "../../src/hooks.ts";
import { HostTools } from "../../src/host-tools/host-tools.ts";
import { answerMcp } from "../../src/host-tools/mcp.ts";
import { ToolServer } from "../../src/host-tools/tool-server.ts";
import { locked, scripted, simple } from "../support/agents.ts";
import { failure } from "../support/errors.ts";

async function workspace(t: TestScope, config: AgentOSConfig, relay?: Listener["relay"]) {
  const use = { workspace: agentOS(config) };
  const { client } = await setupTest(t, setup({ use, ...(relay === undefined ? {} : { relay }) }));
  return client.workspace.getOrCreate(["a"]);
}

/** What the agent says to a prompt. */
async function says(handle: Awaited<ReturnType<typeof workspace>>, content: string): Promise<string[]> {
  const { events } = await handle.readHistory();
  const after = events.at(-1)?.sequence ?? 0;
  await handle.prompt({ content });
  const page = await handle.getSessionEvents({ sessionId: "main", after });
  return page.events.flatMap(({ event }) => {
    if (!("sessionUpdate" in event) || event.sessionUpdate !== "agent_message_chunk") return [];
    return event.content.type === "text" ? [event.content.text] : [];
  });
}

const tools: NonNullable<AgentOSConfig["tools"]> = {
  write: {
    description: "Writes a file",
    run: async (c, { path, content }) => await c.vars.sandbox.writeFile(String(path), String(content)),
  },
  fails: {
    description: "Fails",
    run: (_c, { how }) => {
      throw how === "told" ? new UserError("Not on a Sunday") : new Error("a password");
    },
  },
};

test("an agent calls the program's tools, with the actor's context; what a tool throws is told only where it is meant to be", async (t) => {
  const handle = await workspace(t, { agents: { scripted }, tools });
  await handle.openSession();
  expect(await says(handle, 'tool write {"path":"/home/user/a","content":"b"}')).toEqual(["done"]);
  expect(new TextDecoder().decode(await handle.readFile("/home/user/a"))).toBe("b");
  expect(await says(handle, 'tool fails {"how":"told"}\ntool fails {}\ntool nothing {}')).toEqual([
    "error: Not on a Sunday",
    "error: Internal error",
    "There is no tool nothing",
  ]);
});

test("what doesn't fit a tool's schema is told to the agent with its place, and the tool isn't run; nor what a guardrail made of it", async (t) => {
  const ran: unknown[] = [];
  const tool = (inputSchema: Record<string, unknown>) => ({
    description: "Notes",
    inputSchema,
    run: (_c: unknown, args: unknown) => void ran.push(args),
  });
  const point = { type: "object", properties: { x: { type: "integer" } }, required: ["x"] };
  const at = { type: "object", properties: { at: point }, required: ["at"], additionalProperties: false };
  const dialect = { $schema: "http://json-schema.org/draft-07/schema#" };
  const pair = { ...dialect, properties: { pair: { items: [{ type: "string" }, { type: "number" }] } } };
  const listener = new Listener();
  listener.relay.registerToolRequestIntercept("more", ({ args }) => {
    return JSON.stringify(args).includes("77") ? { at: { x: "seventy-seven" } } : args;
  });
  const config = { agents: { scripted }, tools: { at: tool(at), pair: tool(pair) } };
  const handle = await workspace(t, config, listener.relay);
  await handle.openSession();
  const calls = [
    'at {"at":{"x":1}}',
    'at {"at":{"x":"1"}}',
    "at {}",
    'at {"at":{"x":1},"more":1}',
    'at {"at":{"x":77}}',
    'pair {"pair":["a",1]}',
    'pair {"pair":["a","b"]}',
  ];
  const said = await says(handle, calls.map((call) => `tool ${call}`).join("\n"));
  const refused = (name: string, place: string) =>
    expect.stringMatching(new RegExp(`^error: ${name} wasn't run: at ${place} of its arguments, `));
  expect(said).toEqual([
    "done",
    refused("at", "#/at/x"),
    refused("at", "#"),
    refused("at", "#/more"),
    refused("at", "#/at/x"),
    "done",
    refused("pair", "#/pair/1"),
  ]);
  expect(ran).toEqual([{ at: { x: 1 } }, { pair: ["a", 1] }]);
});

test("a schema that is none is refused where the program gives it", () => {
  const wrong: readonly [schema: unknown, why: string][] = [
    ["x", "it is an object"],
    [[1], "it is an object"],
    [true, "it is an object"],
    [{ type: "strin" }, 'type is "object"'],
    [{ type: "string" }, 'type is "object"'],
    [{ properties: 5 }, "at #/properties, there must be an object of schemas"],
    [{ properties: { a: { type: "strin" } } }, "at #/properties/a/type, "],
    [{ properties: { a: { pattern: "(" } } }, "at #/properties/a/pattern, "],
    [{ patternProperties: { "(": {} } }, "no regular expression"],
    [{ properties: { a: { items: 7 } } }, "at #/properties/a/items, "],
    [{ anyOf: { a: {} } }, "at #/anyOf, there must be a list"],
    [{ required: "a" }, "at #/required, "],
    [{ properties: { a: { minLength: -1 } } }, "at #/properties/a/minLength, "],
    [{ $ref: "#/nowhere" }, "#/nowhere"],
    [{ properties: { a: { $ref: "#/$defs/nope" } } }, "#/$defs/nope"],
    [{ properties: { a: { $dynamicRef: "#a" } } }, 'at #/properties/a/$dynamicRef, there must be a "$ref"'],
    [
      {
        properties: { a: { $ref: "#/$defs/b" } },
        $defs: { b: { $ref: "#/$defs/c" }, c: { $ref: "#/$defs/b" } },
      },
      "leads in a circle",
    ],
  ];
  for (const [inputSchema, why] of wrong) {
    const tools = {
      wrong: { description: "Wrong", inputSchema: inputSchema as Record<string, unknown>, run: () => 1 },
    };
    expect(() => agentOS({ tools }), JSON.stringify(inputSchema)).toThrow(
      expect.objectContaining({
        code: "invalid_option",
        message: expect.stringMatching(/tools\.wrong\.inputSchema/),
      }),
    );
    expect(() => agentOS({ tools }), JSON.stringify(inputSchema)).toThrow(why);
  }
  const tree = {
    type: "object",
    properties: { down: { $ref: "#" }, default: { default: { type: "none" } } },
  };
  agentOS({ tools: { tree: { description: "Trees", inputSchema: tree, run: () => 1 } } });
});

test("arguments that take long to check hold nobody up: the agent is told to send less", async (t) => {
  const inputSchema = {
    type: "object",
    properties: { list: { type: "array", uniqueItems: true }, text: { type: "string", pattern: "^(a+)+$" } },
  };
  const ran: unknown[] = [];
  const slow = { description: "Slow", inputSchema, run: (_c: unknown, args: unknown) => void ran.push(args) };
  const handle = await workspace(t, { agents: { scripted }, tools: { slow } });
  await handle.openSession();
  const list = Array.from({ length: 20_000 }, (_, n) => n);
  const said = await says(
    handle,
    [{ list }, { text: `${"a".repeat(40)}!` }, { list: [1, 2], text: "aa" }]
      .map((args) => `tool slow ${JSON.stringify(args)}`)
      .join("\n"),
  );
  const refused = "error: slow wasn't run: at # of its arguments, they take too long to check: send less";
  expect(said).toEqual([refused, refused, "done"]);
  expect(ran).toEqual([{ list: [1, 2], text: "aa" }]);
});

test("however many calls come at once, others have a turn between their checks; what is too deep to check is told", async (t) => {
  const down = { type: "object", properties: { down: { $ref: "#" }, text: { pattern: "^(a+)+$" } } };
  const forever = { allOf: [{ $ref: "#/$defs/a" }], $defs: { a: { allOf: [{ $ref: "#/$defs/a" }] } } };
  const tool = (inputSchema: Record<string, unknown>) => ({ description: "", inputSchema, run: () => 1 });
  const offered = { down: tool(down), forever: tool(forever) };
  const handle = await workspace(t, { agents: { scripted }, tools: offered });
  await handle.openSession();
  const deep = `${'{"down":'.repeat(3_000)}{}${"}".repeat(3_000)}`;
  // A slow machine comes to the end of the time before that of the stack.
  const tooDeep = (name: string) =>
    expect.stringMatching(
      `^error: ${name} wasn't run: at # of its arguments, they (are too deep|take too long) to check: send less`,
    );
  expect(await says(handle, `tool down ${deep}\ntool forever {}`)).toEqual([
    tooDeep("down"),
    tooDeep("forever"),
  ]);
  await using ending = new AsyncDisposableStack();
  const tools = new HostTools({
    tools: offered,
    context: () => ({}) as HookContext,
    log: { warn: () => undefined },
  });
  ending.defer(() => tools.close());
  let turns = 0;
  let counting: NodeJS.Immediate;
  const count = () => {
    turns += 1;
    counting = setImmediate(count);
  };
  count();
  ending.defer(async () => clearImmediate(counting));
  const checked: number[] = [];
  let arrived = 0;
  const { promise: allThere, resolve: letThemIn } = Promise.withResolvers<void>();
  const { servers } = await tools.offer("main", true, async (_name, args, run) => {
    arrived += 1;
    if (arrived === 5) letThemIn();
    await allThere;
    try {
      return await run(args);
    } finally {
      checked.push(turns);
    }
  });
  const [server] = servers;
  if (server === undefined || !("url" in server)) throw new Error("it is offered");
  const headers = Object.fromEntries(server.headers.map(({ name, value }) => [name, value]));
  const slow = { name: "down", arguments: { text: `${"a".repeat(40)}!` } };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: slow });
  const calls = Array.from({ length: 5 }, () => fetch(server.url, { method: "POST", headers, body }));
  for (const answer of await Promise.all(calls))
    expect(await answer.text()).toContain("they take too long to check");
  expect(new Set(checked).size).toBe(5);
}, 60_000);

test("under a relay a tool is a scope of its prompt's, and a guardrail's no keeps it from running", async (t) => {
  const listener = new Listener();
  listener.relay.registerToolConditionalExecutionGuardrail("no writing", ({ toolName }) =>
    toolName === "write" ? "read only" : undefined,
  );
  const handle = await workspace(t, { agents: { scripted }, tools }, listener.relay);
  await handle.openSession();
  await listener.forget();
  const [said] = await says(handle, 'tool write {"path":"/home/user/a","content":"b"}\ntool fails {}');
  expect(said).toContain("read only");
  expect(await handle.exists("/home/user/a")).toBe(false);
  const prompt = await listener.start("workspace.prompt");
  expect((await listener.start("fails")).parent_uuid).toBe(prompt.uuid);
});

test("an agent gets the MCP servers of its configuration; without MCP over HTTP it isn't offered the program's", async (t) => {
  const mine = { name: "mine", command: "mine", args: [], env: [] };
  const offers = { files: false, terminals: false };
  const handle = await workspace(t, {
    agents: {
      scripted: { ...scripted, mcpServers: [mine] },
      simple: { ...simple, mcpServers: [mine], offers },
    },
    tools,
  });
  await handle.openSession();
  expect(await says(handle, "servers\noffers")).toEqual(['["troupe","mine"]', "[true,true]"]);
  await handle.deleteSession();
  await handle.openSession({ agent: "simple" });
  expect(await says(handle, "servers\noffers")).toEqual(['["mine"]', "[false,false]"]);
});

test("an agent that says that it reaches no server over HTTP is given none: there is no session, and it is said why", async (t) => {
  const far = { type: "http" as const, name: "far", url: "http://127.0.0.1:1/mcp", headers: [] };
  const near = { ...far, type: "sse" as const, name: "near" };
  const handle = await workspace(t, {
    agents: {
      scripted: { ...scripted, mcpServers: [far] },
      simple: { ...simple, mcpServers: [far] },
      other: { ...scripted, mcpServers: [near] },
    },
  });
  await handle.openSession();
  expect(await says(handle, "servers")).toEqual(['["far"]']);
  await handle.deleteSession();
  const unsupported = async (agent: string) => {
    const { code, metadata } = await failure(handle.openSession({ agent }));
    return [code, metadata];
  };
  expect(await unsupported("simple")).toEqual(["mcp_unsupported", { server: "far", way: "http" }]);
  expect(await unsupported("other")).toEqual(["mcp_unsupported", { server: "near", way: "sse" }]);
});

test("an agent that wants to know who asks is told by the configuration's method; without one its start says which there are", async (t) => {
  const agents = {
    locked,
    opened: { ...locked, authMethod: "key" },
    wrong: { ...locked, authMethod: "no such" },
  };
  const handle = await workspace(t, { agents });
  const required = await failure(handle.openSession());
  expect([required.code, required.metadata?.["known"]]).toEqual(["auth_required", ["key"]]);
  const unknown = await failure(handle.openSession({ agent: "wrong" }));
  expect([unknown.code, unknown.metadata]).toEqual(["auth_unknown", { method: "no such", known: ["key"] }]);
  expect(await handle.openSession({ agent: "opened" })).toMatchObject({ agent: "opened" });
});

test("a token is one session's, and ends with it; pages and strangers are told nothing", async () => {
  await using ending = new AsyncDisposableStack();
  const server = new ToolServer(() => undefined);
  ending.defer(() => server.close());
  const list = [{ name: "mine", description: "", inputSchema: {} }];
  const access = await server.open({ list, call: async () => "called" });
  const ask = async (headers: Record<string, string>, body: BodyInit = call, method = "POST") => {
    const response = await fetch(access.url, { method, headers, ...(method === "GET" ? {} : { body }) });
    return [response.status, await response.text()];
  };
  const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const authorization = `Bearer ${access.token}`;
  expect(await ask({ authorization })).toEqual([200, expect.stringContaining('"mine"')]);
  expect(await ask({ authorization: "Bearer x" })).toEqual([401, ""]);
  expect(await ask({})).toEqual([401, ""]);
  expect(await ask({ authorization, origin: access.url })).toEqual([401, ""]);
  expect(await ask({ authorization }, "", "GET")).toEqual([405, ""]);
  expect(await ask({ authorization }, "{")).toEqual([200, expect.stringContaining("no request")]);
  expect(await ask({ authorization }, "x".repeat(4 * 1024 * 1024 + 1))).toEqual([413, ""]);
  access[Symbol.dispose]();
  expect(await ask({ authorization })).toEqual([401, ""]);
});

test("what of MCP is answered, and how", async () => {
  const tools = { list: [], call: async () => undefined };
  const answer = (message: unknown) => answerMcp(message, tools, () => undefined);
  const version = (protocolVersion: string) =>
    answer({ id: 1, method: "initialize", params: { protocolVersion } });
  expect(await version("2024-11-05")).toMatchObject({ result: { protocolVersion: "2024-11-05" } });
  expect(await version("1999-01-01")).toMatchObject({ result: { protocolVersion: "2025-06-18" } });
  expect(await answer({ id: "a", method: "ping" })).toEqual({ jsonrpc: "2.0", id: "a", result: {} });
  expect(await answer({ method: "notifications/initialized" })).toBeUndefined();
  expect(await answer({ id: 2, method: "prompts/list" })).toMatchObject({ error: { code: -32601 } });
  for (const bad of [null, 5, [], { id: 3 }, { id: 3, method: 5 }])
    expect(await answer(bad)).toMatchObject({ error: { code: -32600 } });
});
