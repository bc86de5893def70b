/** `setup({ plugins })`: plugins that start and end with a registry. */
import { actor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { pluginSet } from "../src/plugin-set.ts";
import { PluginWorld } from "./support/plugin-world.ts";

const quiet = { port: 0, signals: false, banner: false, durability: "memory" } as const;
const counter = actor({ state: { count: 0 }, actions: { increment: (c) => ++c.state.count } });

test("plugins run while the registry does, and a second start is a fresh one", async () => {
  using world = new PluginWorld();
  const plugins = pluginSet({
    relay: world.relay,
    plugins: [{ manifest: world.worker("guard", "as set up") }],
  });
  const registry = setup({ use: { counter }, plugins });
  expect(world.relay.listRuntimeRegistrations()).toEqual([]);
  for (const _round of ["first", "second"]) {
    const { endpoint } = await registry.start(quiet);
    expect(plugins.status).toMatchObject([{ id: "guard", state: "active" }]);
    expect(await world.reason()).toBe("as set up");
    expect((await fetch(`${endpoint}/readyz`)).status).toBe(200);
    await registry.stop();
    expect(plugins.status).toEqual([]);
    expect(world.relay.listRuntimeRegistrations()).toEqual([]);
  }
  await expect(plugins.reload()).rejects.toMatchObject({ code: "not_started" });
});

test("S5.4 (in part) without a required plugin the registry doesn't start, and leaves nothing of the others", async () => {
  using world = new PluginWorld();
  const good = world.worker("good", "x");
  const missing = world.manifest("missing", {
    kind: "worker",
    load: 'runtime = "node"\nentrypoint = "none.ts"',
  });
  const plugins = pluginSet({ relay: world.relay, plugins: [{ manifest: good }, { manifest: missing }] });
  const registry = setup({ use: { counter }, plugins });
  await expect(registry.start(quiet)).rejects.toMatchObject({ group: "plugin", code: "required_failed" });
  expect(world.relay.listRuntimeRegistrations()).toEqual([]);
  world.write("missing/none.ts", PluginWorld.workerSource("missing", ""));
  await registry.start(quiet);
  expect(plugins.status.map(({ id }) => id)).toEqual(["good", "missing"]);
  await registry.stop();
});

test("a required plugin that is gone is said by /readyz; actors serve on, and a reload brings it back", async () => {
  using world = new PluginWorld();
  const dying = `{
    kind: "tool_conditional_execution_guardrail", name: "dying",
    handle: ({ toolName }) => (toolName === "rm" ? process.exit(4) : null),
  }`;
  world.worker("frail", "x");
  world.write("frail/main.ts", PluginWorld.workerSource("frail", dying));
  const manifest = world.manifest("frail", {
    kind: "worker",
    load: 'runtime = "node"\nentrypoint = "main.ts"',
  });
  const plugins = pluginSet({ relay: world.relay, plugins: [{ manifest }] });
  const registry = setup({ use: { counter }, plugins });
  const { endpoint } = await registry.start(quiet);
  await world.refusal();
  const ready = await fetch(`${endpoint}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining("plugin.lost")]);
  const client = await registry.client();
  expect(await client.counter.getOrCreate(["a"]).increment()).toBe(1);
  await plugins.reload();
  expect((await fetch(`${endpoint}/readyz`)).status).toBe(200);
  await registry.stop();
});

test("what isn't a set of plugins is refused when it is set up", () => {
  const wrong = JSON.parse(`{ "manifest": "x" }`);
  expect(() => setup({ use: { counter }, plugins: wrong })).toThrow(
    expect.objectContaining({ code: "invalid_option", message: expect.stringContaining("pluginSet()") }),
  );
});
