/** A Python plugin that has agents and the guardrail that they are asked about: however many wait, the guardrail is asked. */
import { setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { pluginActor, pluginSet } from "../../src/index.ts";
import { PluginWorld } from "../support/plugin-world.ts";
import { findPython } from "../support/python.ts";

const sdk = new URL("../../../../sdks/python", import.meta.url).pathname;

const program = `
import sys
sys.path.insert(0, ${JSON.stringify(sdk)})
from troupe_plugin import Actor, Middleware, Plugin, serve

def guard(payload, context):
    return "not that" if payload["args"] == "rm" else None

def around(payload, context):
    return context.next(payload["args"])

def run(args, context):
    return f"ran {args}"

serve(Plugin(
    name="it",
    middleware=[
        Middleware("tool_conditional_execution_guardrail", "guard", guard),
        Middleware("tool_execution_intercept", "around", around),
    ],
    actors=[Actor(name="it", actions={"tool": lambda c, args: c.tool("shell", args, run)})],
), threads=1)
`;

test("an action that waits for a tool leaves the plugin's own guardrails a thread", {
  timeout: 60_000,
}, async (context) => {
  const { missing } = await findPython();
  context.skip(missing !== undefined, missing);
  using world = new PluginWorld();
  world.write("it/main.py", program);
  const load = 'runtime = "python"\nentrypoint = "main.py"';
  const capabilities = ["actors", "middleware", "calls"] as const;
  const manifest = world.manifest("it", { kind: "worker", load, capabilities });
  const { relay } = world;
  const plugins = pluginSet({ relay, plugins: [{ manifest, trusted: true }] });
  const registry = setup({ use: { it: pluginActor({ plugin: "it" }) }, relay, plugins });
  await registry.start({ port: 0, durability: "memory", signals: false, banner: false });
  try {
    const client = await registry.client();
    const tool = (key: string, args: string) =>
      client.it.getOrCreate(key).action({ name: "tool", args: [args] });
    const keys = Array.from({ length: 20 }, (_, key) => `${key}`);
    expect(await Promise.all(keys.map((key) => tool(key, "ls")))).toEqual(keys.map(() => "ran ls"));
    await expect(tool("a", "rm")).rejects.toMatchObject({ group: "relay" });
  } finally {
    await registry.stop();
  }
});
