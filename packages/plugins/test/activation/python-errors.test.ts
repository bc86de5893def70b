/** A Python plugin whose errors, answers or states can't be written: each is the answer of its call, and nobody waits for another. */
import { createClient } from "@troupe/client";
import { setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { pluginActor, pluginSet } from "../../src/index.ts";
import { PluginWorld } from "../support/plugin-world.ts";
import { findPython } from "../support/python.ts";

const sdk = new URL("../../../../sdks/python", import.meta.url).pathname;

const program = `
import os, sys
sys.path.insert(0, ${JSON.stringify(sdk)})
from troupe_plugin import Actor, Middleware, Plugin, PluginError, Response, Sockets, serve

class Ugly(Exception):
    def __str__(self):
        sys.exit("no text")

class Late(PluginError):
    def __init__(self):
        super().__init__("late", "x")
        self.code = 404

def boom(*_):
    raise Ugly()

def late(*_):
    raise Late()

def items(c):
    yield 1
    raise Ugly()

def keeps(c):
    for connection in c.connections.values():
        connection.state = object()

def start(c, is_new):
    if c.key == ("start",):
        raise Late()

def params(given, *_):
    if given == "boom":
        raise Ugly()

def connected(c, connection):
    if connection.params == "later":
        raise Late()

def guard(payload, context):
    if payload["toolName"] == "late":
        raise Late()

def stream(payload, context):
    yield {"n": 1}
    yield object()

serve(Plugin(
    name="it",
    middleware=[
        Middleware("tool_conditional_execution_guardrail", "guard", guard),
        Middleware("llm_stream_execution_intercept", "stream", stream),
    ],
    actors=[Actor(
        name="it",
        state={"n": 0},
        events=["e"],
        start=start,
        accept=params,
        connected=connected,
        can_subscribe=lambda given, event: boom() if given == "deaf" else None,
        request=lambda c, request: Response(body=None),
        actions={
            "boom": boom,
            "late": late,
            "number": lambda c: boom() if c is None else PluginError(404, "x"),
            "items": items,
            "keeps": keeps,
            "odd": lambda c: c.send([2**60], "e"),
            "giant": lambda c: "x" * 70_000_000,
            "halves": lambda c: ["x" * 30_000_000, c.log.name][0],
            "pid": lambda c: os.getpid(),
        },
    )],
))
`;

test("what can't be written is the error of its call: actions, items, starts, connections, guardrails, streams, states and bodies", {
  timeout: 60_000,
}, async (context) => {
  const { missing } = await findPython();
  context.skip(missing !== undefined, missing);
  using world = new PluginWorld();
  world.write("it/main.py", program);
  const load = 'runtime = "python"\nentrypoint = "main.py"';
  const manifest = world.manifest("it", { kind: "worker", load, capabilities: ["actors", "middleware"] });
  const { relay } = world;
  const plugins = pluginSet({ relay, plugins: [{ manifest, trusted: true }] });
  const registry = setup({ use: { it: pluginActor({ plugin: "it" }) }, relay, plugins });
  const { endpoint } = await registry.start({ port: 0, durability: "memory", signals: false, banner: false });
  const client = createClient(endpoint);
  try {
    const it = client.getOrCreate("it", ["a"]);
    const act = (name: string) => it.action({ name, args: [] });
    const failed = { group: "internal", code: "error" };
    const pid = await act("pid");
    for (const name of ["boom", "late", "number", "odd", "giant"])
      await expect(act(name)).rejects.toMatchObject(failed);
    const got: unknown[] = [];
    const items = (await act("items")) as AsyncIterable<unknown>;
    const reading = async (): Promise<void> => {
      for await (const item of items) got.push(item);
    };
    await expect(reading()).rejects.toMatchObject(failed);
    expect(got).toEqual([1]);
    expect((await it.fetch("/x")).status).toBe(500);
    await expect(client.getOrCreate("it", ["start"]).action({ name: "pid", args: [] })).rejects.toMatchObject(
      { code: "start_failed" },
    );

    const refused = client.getOrCreate("it", ["a"], { params: "boom" }).connect();
    await expect(refused.action({ name: "pid", args: [] })).rejects.toMatchObject(failed);
    const connection = client.getOrCreate("it", ["a"]).connect();
    const ask = (name: string) => connection.action({ name, args: [] });
    expect(await ask("pid")).toBe(pid);
    await expect(ask("keeps")).rejects.toMatchObject(failed);
    expect(await ask("pid")).toBe(pid);

    const tool = relay.toolCallExecute("late", {}, () => ({ result: "ran" }));
    await expect(tool).rejects.toMatchObject({ group: "relay", code: "middleware_failed" });
    const chunks: unknown[] = [];
    const model = async (): Promise<void> => {
      const stream = await relay.llmStreamCallExecute(
        "m",
        { headers: {}, content: "x" },
        async function* () {},
      );
      for await (const chunk of stream) chunks.push(chunk);
    };
    await expect(model()).rejects.toMatchObject({ group: "relay" });
    expect(chunks).toEqual([{ n: 1 }]);
    // Together they are more than one message has room for.
    const halves = await Promise.all(
      ["b", "c", "d"].map((key) => client.getOrCreate("it", [key]).action({ name: "halves", args: [] })),
    );
    expect(halves.map((half) => String(half).length)).toEqual([30_000_000, 30_000_000, 30_000_000]);
    expect(await act("pid")).toBe(pid);
  } finally {
    await client.dispose();
    await registry.stop();
  }
});
