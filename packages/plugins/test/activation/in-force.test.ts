/** A plugin's guardrails guard the actors of its registry, however it was named; where they can't, that is said. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRelay } from "@troupe/relay/node";
import { actor, setup } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { installedPlugins } from "../../src/activation/named-plugin.ts";
import { addInstalled, decide } from "../../src/installed/installed-plugins.ts";
import { findScopes } from "../../src/installed/scopes.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { pluginSet } from "../../src/plugin-set.ts";
import { counterManifest, counterWorker } from "../support/counters.ts";
import { nodeLoad, PluginFolder } from "../support/plugin-folder.ts";

const quiet = { port: 0, signals: false, banner: false, durability: "memory" } as const;

/** An actor whose action "bad" and whose tool "rm" the plugin below refuses. */
const worker = actor({
  actions: { bad: () => "ran", tool: (c, name: string) => c.tool(name, {}, () => `${name} ran`) },
});

const guard = {
  id: "guard",
  kind: "module",
  plugin: {
    name: "guard",
    middleware: [
      {
        kind: "action_conditional_execution_guardrail",
        name: "no-bad",
        handle: ({ action }: { action: string }) => (action === "bad" ? "no" : null),
      },
      {
        kind: "tool_conditional_execution_guardrail",
        name: "no-rm",
        handle: ({ toolName }: { toolName: string }) => (toolName === "rm" ? "no" : null),
      },
    ],
  },
} as const;

const refused = { group: "relay", code: "guardrail_rejected" };
const relay = createRelay();

test.each([
  ["as one of the set", { plugins: pluginSet({ relay, plugins: [guard] }) }],
  ["as one of setup", { plugins: pluginSet({ plugins: [guard] }), relay }],
  ["as one of both", { plugins: pluginSet({ relay, plugins: [guard] }), relay: { on: relay } }],
  ["by nobody", { plugins: pluginSet({ plugins: [guard] }) }],
])("a set's guardrails are in force where the relay is given %s", async (_, given) => {
  const registry = setup({ use: { worker }, ...given });
  await registry.start(quiet);
  try {
    const one = (await registry.client()).worker.getOrCreate("a");
    await expect(one.bad()).rejects.toMatchObject(refused);
    await expect(one.tool("rm")).rejects.toMatchObject(refused);
    expect(await one.tool("ls")).toBe("ls ran");
  } finally {
    await registry.stop();
  }
});

test("two relays are refused: guardrails in one would guard nothing in the other", () => {
  const plugins = pluginSet({ relay: createRelay(), plugins: [guard] });
  const twice = (): unknown => setup({ use: { worker }, plugins, relay: createRelay() });
  expect(twice).toThrow(expect.objectContaining({ group: "config", code: "both_given" }));
});

test("a set that began with actors alone takes no guardrail later on: nothing would go by it", async () => {
  const counter = actor({ actions: { one: () => 1 } });
  const actors = {
    id: "actors",
    kind: "module",
    capabilities: ["actors"],
    plugin: { name: "actors", actors: { counter } },
  } as const;
  const plugins = pluginSet({ plugins: [actors] });
  const registry = setup({ use: { counter: pluginActor({ plugin: "actors" }) }, plugins });
  await registry.start(quiet);
  try {
    expect(plugins.relay).toBeUndefined();
    await expect(plugins.reload({ plugins: [actors, guard] })).rejects.toMatchObject({
      code: "required_failed",
      metadata: { code: "no_relay" },
    });
    const client = await registry.client();
    expect(await client.counter.getOrCreate("a").action({ name: "one", args: [] })).toBe(1);
  } finally {
    await registry.stop();
  }
});

describe("of an installed plugin", () => {
  let folder: PluginFolder;

  /** Installed and enabled: a counter with a guardrail that refuses "rm". */
  beforeEach(async () => {
    folder = new PluginFolder();
    vi.stubEnv("XDG_CONFIG_HOME", folder.path);
    const noRm = `middleware: [{ kind: "tool_conditional_execution_guardrail", name: "no-rm",
    handle: ({ toolName }) => (toolName === "rm" ? "no" : null) }]`;
    folder.write("main.ts", counterWorker(noRm));
    const manifest = counterManifest(folder, nodeLoad("main.ts"));
    const scopes = findScopes(process.cwd(), process.env);
    await addInstalled(scopes, "user", { id: "counter", manifest });
    await decide(scopes, { id: "counter", scope: "user" }, { enabled: true });
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    folder[Symbol.dispose]();
  });

  /** What the program of `use` writes to its log. */
  async function logged(run: () => Promise<void>): Promise<string> {
    const said: string[] = [];
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
    try {
      await run();
    } finally {
      write.mockRestore();
    }
    return said.join("");
  }

  test.each(["its id", "its path", "a description"])(
    "one that a program names by %s is in force in the program's relay, once for all that name it, until the registry stops",
    async (by) => {
      const entrypoint = `${folder.path}/main.ts`;
      const described = { id: "counter", kind: "worker", runtime: "node", entrypoint } as const;
      const plugin = { "its id": "counter", "its path": folder.path, "a description": described }[by] ?? by;
      const own = createRelay();
      const use = { worker, counter: pluginActor({ plugin }), other: pluginActor({ plugin }) };
      const registry = setup({ use, relay: own });
      const named = (): readonly string[] => own.listRuntimeRegistrations().map(({ name }) => name);
      await registry.start(quiet);
      try {
        expect(named()).toEqual(["counter/no-rm"]);
        const client = await registry.client();
        await expect(client.worker.getOrCreate("a").tool("rm")).rejects.toMatchObject(refused);
        for (const actor of [client.counter, client.other])
          expect(await actor.getOrCreate("a").action({ name: "increment", args: [2] })).toBe(2);
      } finally {
        await registry.stop();
      }
      expect(named()).toEqual([]);
      await registry.start(quiet);
      expect(named()).toEqual(["counter/no-rm"]);
      await registry.stop();
    },
  );

  test("a program that names one and has no relay gets one, and shows the plugin as it shows its own", async () => {
    vi.stubEnv("TROUPE_INSPECTOR_TOKEN", "secret");
    const use = { worker, counter: pluginActor({ plugin: folder.path }) };
    const registry = setup({ use, token: "secret" });
    const { endpoint } = await registry.start(quiet);
    const client = await registry.client();
    try {
      await expect(client.worker.getOrCreate("a").tool("rm")).rejects.toMatchObject(refused);
      const headers = { authorization: "Bearer secret" };
      const shown = await (await fetch(`${endpoint}/inspector/plugins`, { headers })).json();
      expect(shown).toMatchObject({ plugins: [{ id: "counter", carrier: "worker" }] });
      expect(await (await fetch(`${endpoint}/metrics`, { headers })).text()).toMatch(
        /troupe_plugin_running\{plugin="counter"\} 1/,
      );
    } finally {
      await registry.stop();
    }
  });

  const relays = [
    ["with a relay", () => ({ relay: createRelay() })],
    ["without a relay", () => ({})],
    ["with another plugin", () => ({ plugins: pluginSet({ plugins: [guard] }) })],
  ] as const;

  test.each(relays)(
    "one that can't be started, and is required, keeps a program %s from starting; an optional one is left out, and its callers hear why",
    async (_, given) => {
      folder.write("main.ts", "process.exit(1)");
      const use = { counter: pluginActor({ plugin: folder.path }) };
      const starting = setup({ use, ...given() }).start(quiet);
      await expect(starting).rejects.toMatchObject({ group: "plugin", code: "required_failed" });
      const manifest = join(folder.path, "troupe-plugin.toml");
      folder.write("troupe-plugin.toml", `startup = "optional"\n${readFileSync(manifest, "utf8")}`);
      const registry = setup({ use, ...given() });
      const log = await logged(async () => void (await registry.start(quiet)));
      expect(log).toContain("an optional plugin was left out");
      const counter = (await registry.client()).counter.getOrCreate("a");
      await expect(counter.action({ name: "get", args: [] })).rejects.toMatchObject({ code: "start_failed" });
      await registry.stop();
    },
  );

  test("an optional one that can't be found at the start is told of; found later, its actors don't run without its guardrails", async () => {
    const scopes = findScopes(process.cwd(), process.env);
    await decide(scopes, { id: "counter", scope: "user" }, { enabled: false });
    const plugins = pluginSet({ relay: createRelay(), plugins: [guard] });
    const counter = pluginActor({ plugin: "counter", startup: "optional" });
    const registry = setup({ use: { worker, counter }, plugins });
    const log = await logged(async () => void (await registry.start(quiet)));
    expect(log).toContain("nothing of it is in force");
    try {
      const client = await registry.client();
      const increment = async (): Promise<unknown> =>
        await client.counter.getOrCreate("a").action({ name: "increment", args: [2] });
      await expect(increment()).rejects.toMatchObject({ code: "not_enabled" });
      await decide(scopes, { id: "counter", scope: "user" }, { enabled: true });
      const cause = { code: "not_in_force", message: expect.stringContaining("SIGHUP") };
      await expect(increment()).rejects.toMatchObject({ code: "start_failed", cause });
      await plugins.reload();
      expect(await increment()).toBe(2);
      // A guardrail doesn't go because its manifest is broken, and goes when it is disabled.
      const manifest = readFileSync(join(folder.path, "troupe-plugin.toml"), "utf8");
      folder.write("troupe-plugin.toml", "broken");
      await expect(plugins.reload()).rejects.toMatchObject({ group: "plugin" });
      expect(await increment()).toBe(4);
      folder.write("troupe-plugin.toml", manifest);
      await decide(scopes, { id: "counter", scope: "user" }, { enabled: false });
      await logged(async () => await plugins.reload());
      expect(plugins.status).toMatchObject([{ id: "guard" }]);
      await expect(increment()).rejects.toMatchObject({ code: "not_enabled" });
    } finally {
      await registry.stop();
    }
  });

  test("named by its path it is the registry's own of the same files; another one of that id is refused", async () => {
    using other = new PluginFolder();
    other.write("main.ts", counterWorker());
    const manifest = counterManifest(other, nodeLoad("main.ts"));
    const own = pluginSet({ plugins: [{ manifest: join(folder.path, "troupe-plugin.toml") }] });
    const use = { worker, counter: pluginActor({ plugin: folder.path }) };
    const registry = setup({ use, plugins: own });
    await registry.start(quiet);
    const client = await registry.client();
    expect(await client.counter.getOrCreate("a").action({ name: "increment", args: [2] })).toBe(2);
    expect(own.status).toMatchObject([{ id: "counter", calls: expect.any(Number) }]);
    await registry.stop();
    const starting = setup({ use, plugins: pluginSet({ plugins: [{ manifest }] }) }).start(quiet);
    await expect(starting).rejects.toMatchObject({ code: "id_taken" });
  });

  test("on a host of an engine nothing goes by it, and a line of the log says so", async () => {
    const log = await logged(async () => {
      const { source } = pluginActor({ plugin: "counter" }).behaviour;
      const carriers = source({ env: nodeEnv({ logLevel: "warn" }), name: "counter" });
      await carriers.known?.();
      await carriers.close();
    });
    expect(log.split("a plugin's middleware isn't in force")).toHaveLength(2);
    expect(log).toContain("give the engine's program the plugin");
  });

  test("two of one id, and one that is configured in two ways, are refused: they would guard under one name", async () => {
    using other = new PluginFolder();
    other.write("main.ts", counterWorker());
    counterManifest(other, nodeLoad("main.ts"));
    const start = async (one: object, two: object): Promise<unknown> => {
      const use = {
        one: pluginActor({ plugin: folder.path, ...one }),
        two: pluginActor({ plugin: folder.path, ...two }),
      };
      return await setup({ use, relay: createRelay() }).start(quiet);
    };
    await expect(start({}, { plugin: other.path })).rejects.toMatchObject({ code: "id_taken" });
    await expect(start({}, { config: { a: 1 } })).rejects.toMatchObject({ code: "named_twice" });
  });

  test("with `plugins: installedPlugins` the registry has all of it, in one process; a reload finds what was disabled", async () => {
    const plugins = pluginSet({ plugins: installedPlugins });
    const registry = setup({ use: { worker, counter: pluginActor({ plugin: "counter" }) }, plugins });
    await registry.start(quiet);
    try {
      const client = await registry.client();
      const one = client.worker.getOrCreate("a");
      await expect(one.tool("rm")).rejects.toMatchObject(refused);
      expect(await client.counter.getOrCreate("a").action({ name: "increment", args: [2] })).toBe(2);
      expect(plugins.status).toMatchObject([{ id: "counter", state: "active" }]);
      const scopes = findScopes(process.cwd(), process.env);
      await decide(scopes, { id: "counter", scope: "user" }, { enabled: false });
      await plugins.reload();
      expect(await one.tool("rm")).toBe("rm ran");
    } finally {
      await registry.stop();
    }
  });
});
