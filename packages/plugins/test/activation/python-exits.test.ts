/** A Python function that ends as a program does (`sys.exit`, as libraries of command lines do): its own call fails, and nobody else notices. */
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
from troupe_plugin import Actor, Middleware, Plugin, serve

def items(c):
    yield 1
    sys.exit("items")

def lingers(c):
    try:
        while True:
            yield 1
    finally:
        raise KeyboardInterrupt

def accept(params):
    if params == "exit":
        sys.exit(3)

def guard(payload, context):
    if payload["toolName"] == "exit":
        sys.exit("guard")

def ends(error):
    def raises(*_):
        raise error
    return raises

serve(Plugin(
    name="it",
    middleware=[Middleware("tool_conditional_execution_guardrail", "guard", guard)],
    actors=[Actor(
        name="it",
        accept=accept,
        request=ends(SystemExit("request")),
        actions={
            "exit": ends(SystemExit("action")),
            "interrupt": ends(KeyboardInterrupt()),
            "items": items,
            "lingers": lingers,
            "pid": lambda c: os.getpid(),
        },
    )],
))
`;

test("sys.exit in Python fails the call that it is in: actions, results in items, requests, connections and guardrails", {
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
    const pid = await act("pid");
    const failed = { group: "internal", code: "error" };
    await expect(act("exit")).rejects.toMatchObject(failed);
    await expect(act("interrupt")).rejects.toMatchObject(failed);
    const got: unknown[] = [];
    const read = async (name: string, most: number) => {
      const items = (await act(name)) as AsyncIterable<unknown>;
      for await (const item of items) if (got.push(item) === most) return;
    };
    await expect(read("items", 9)).rejects.toMatchObject(failed);
    await read("lingers", 2);
    expect(got).toEqual([1, 1]);
    expect((await it.fetch("/x")).status).toBe(500);
    const refused = client.getOrCreate("it", ["a"], { params: "exit" }).connect();
    await expect(refused.action({ name: "pid", args: [] })).rejects.toMatchObject(failed);
    const answer = relay.toolCallExecute("exit", {}, () => ({ result: "ran" }));
    await expect(answer).rejects.toMatchObject({ group: "relay", code: "middleware_failed" });
    expect(await act("pid")).toBe(pid);
  } finally {
    await client.dispose();
    await registry.stop();
  }
});
