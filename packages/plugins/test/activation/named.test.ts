/** What a program names is read before it starts: nothing runs without a guardrail that nobody could read. */
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createRelay } from "@troupe/relay/node";
import { actor, setup } from "@troupe/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { addInstalled, decide } from "../../src/installed/installed-plugins.ts";
import { findScopes, userFile } from "../../src/installed/scopes.ts";
import { takePins } from "../../src/manifest/pins.ts";
import { readManifest } from "../../src/manifest/read-manifest.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { pluginSet } from "../../src/plugin-set.ts";
import { counterManifest, counterWorker } from "../support/counters.ts";
import { nodeLoad, PluginFolder } from "../support/plugin-folder.ts";

const quiet = { port: 0, signals: false, banner: false, durability: "memory" } as const;
const refused = { group: "relay", code: "guardrail_rejected" };
const worker = actor({
  actions: { tool: (c, name: string) => c.tool(name, {}, () => `${name} ran`) },
});
const noRm = `middleware: [{ kind: "tool_conditional_execution_guardrail", name: "no-rm",
  handle: ({ toolName }) => (toolName === "rm" ? "no" : null) }]`;

let folder: PluginFolder;

/** A counter with a guardrail that refuses "rm", installed and enabled. */
beforeEach(async () => {
  folder = new PluginFolder();
  vi.stubEnv("XDG_CONFIG_HOME", folder.path);
  vi.stubEnv("TROUPE_LOG_LEVEL", "silent");
  folder.write("main.ts", counterWorker(noRm));
  const manifest = counterManifest(folder, nodeLoad("main.ts"));
  await addInstalled(scopes(), "user", { id: "counter", manifest });
  await decide(scopes(), { id: "counter", scope: "user" }, { enabled: true });
});

afterEach(() => {
  vi.unstubAllEnvs();
  folder[Symbol.dispose]();
});

function scopes() {
  return findScopes(process.cwd(), process.env);
}

/** The plugin's manifest with `from` as `to`. */
function rewrite(from: string | RegExp, to: string): string {
  const file = join(folder.path, "troupe-plugin.toml");
  const before = readFileSync(file, "utf8");
  expect(before).toMatch(from);
  folder.write("troupe-plugin.toml", before.replace(from, to));
  return before;
}

const breaks: readonly (readonly [
  string,
  "counter" | "path" | "nothing" | "conter",
  string,
  () => unknown,
])[] = [
  [
    "whose manifest has an unknown key",
    "path",
    "manifest_unknown_key",
    () => rewrite("[load]", "some = 1\n[load]"),
  ],
  [
    "that is for another Troupe",
    "path",
    "incompatible",
    () => rewrite(/troupe = ".*"/, 'troupe = ">=99.0.0"'),
  ],
  ["that isn't there", "nothing", "manifest_unreadable", () => {}],
  ["that is on no list", "conter", "not_added", () => {}],
  [
    "that is disabled",
    "counter",
    "not_enabled",
    async () => await decide(scopes(), { id: "counter", scope: "user" }, { enabled: false }),
  ],
  [
    "on a list that can't be read",
    "counter",
    "state_malformed",
    () => folder.write(userFile(scopes()).slice(folder.path.length), "{"),
  ],
  [
    "that was changed behind its pin",
    "counter",
    "pin_mismatch",
    async () => {
      const { manifest, bytes } = await readManifest(join(folder.path, "troupe-plugin.toml"));
      const pins = await takePins(manifest, bytes);
      await decide(scopes(), { id: "counter", scope: "user" }, { pins });
      rewrite("[load]", "\n[load]");
    },
  ],
];

test.each(breaks)(
  "a program doesn't start without a plugin %s, unless it says that it may be without it",
  async (_title, by, code, breakIt) => {
    await breakIt();
    const plugin = { path: folder.path, nothing: join(folder.path, "none"), counter: by, conter: by }[by];
    const use = (startup?: "optional") => ({
      worker,
      counter: pluginActor({ plugin, ...(startup && { startup }) }),
    });
    const relay = createRelay();
    for (const given of [{ relay }, {}])
      await expect(setup({ use: use(), ...given }).start(quiet)).rejects.toMatchObject({
        group: "plugin",
        code: "required_failed",
        metadata: { code },
        message: expect.stringContaining('startup: "optional"'),
      });
    const registry = setup({ use: use("optional"), relay });
    await registry.start(quiet);
    try {
      const client = await registry.client();
      expect(await client.worker.getOrCreate("a").tool("rm")).toBe("rm ran");
      const asked = client.counter.getOrCreate("a").action({ name: "get", args: [] });
      const told = await asked.then(
        () => undefined,
        (error) => (error.code === "start_failed" ? error.cause : error),
      );
      expect(told).toMatchObject({ group: "plugin", code });
    } finally {
      await registry.stop();
    }
  },
);

test("`startup` is the program's word: a required plugin that can't be started is left out, an optional one keeps it from starting", async () => {
  folder.write("main.ts", "process.exit(1)");
  const start = async (startup: "optional" | "required") => {
    const registry = setup({ use: { counter: pluginActor({ plugin: folder.path, startup }) } });
    await registry.start(quiet);
    await registry.stop();
  };
  await start("optional");
  rewrite("manifest_version", 'startup = "optional"\nmanifest_version');
  await expect(start("required")).rejects.toMatchObject({ code: "required_failed" });
});

test.each(["with guardrails", "with actors alone"])(
  "behind a reload that a broken manifest kept from being, a first call goes to the plugin %s as it was read before",
  async (which) => {
    if (which === "with actors alone") {
      rewrite(`["actors", "middleware"]`, `["actors"]`);
      folder.write("main.ts", counterWorker());
    }
    const plugins = pluginSet({ relay: createRelay(), plugins: [] });
    const use = { worker, counter: pluginActor({ plugin: folder.path }) };
    const registry = setup({ use, plugins });
    await registry.start(quiet);
    try {
      const before = rewrite("[load]", "[laod]");
      await expect(plugins.reload()).rejects.toMatchObject({ code: "required_failed" });
      const client = await registry.client();
      const counter = client.counter.getOrCreate("a");
      expect(await counter.action({ name: "increment", args: [2] })).toBe(2);
      folder.write("troupe-plugin.toml", before);
      await plugins.reload();
      expect(await counter.action({ name: "increment", args: [2] })).toBe(4);
    } finally {
      await registry.stop();
    }
  },
);

test.each(["actors alone", "guardrails"])(
  "an id is one plugin's: by a path or a link it is the registry's own, and another one of that id, with %s, is refused",
  async (which) => {
    using other = new PluginFolder();
    other.write("main.ts", counterWorker());
    const text = readFileSync(counterManifest(other, nodeLoad("main.ts")), "utf8");
    if (which === "actors alone")
      other.write("troupe-plugin.toml", text.replace(`["actors", "middleware"]`, `["actors"]`));
    const link = join(other.path, "link");
    symlinkSync(folder.path, link);
    const own = pluginSet({ plugins: [{ manifest: join(folder.path, "troupe-plugin.toml") }] });
    const registry = setup({
      use: { counter: pluginActor({ plugin: folder.path }), linked: pluginActor({ plugin: link }) },
      plugins: own,
    });
    await registry.start(quiet);
    const client = await registry.client();
    for (const actor of [client.counter, client.linked])
      expect(await actor.getOrCreate("a").action({ name: "increment", args: [2] })).toBe(2);
    expect(own.status).toMatchObject([{ id: "counter" }]);
    // A set elsewhere, as the one of the program is for that of `troupe start`.
    const elsewhere = own.sources;
    const beside = pluginSet({ plugins: async () => ({ plugins: [], elsewhere }) });
    const counter = pluginActor({ plugin: other.path });
    const taken = { group: "plugin", code: "id_taken", message: expect.stringContaining(other.path) };
    for (const plugins of [own, beside]) {
      if (plugins === own) await registry.stop();
      await expect(setup({ use: { counter }, plugins }).start(quiet)).rejects.toMatchObject(taken);
    }
    const two = { counter, other: pluginActor({ plugin: folder.path }) };
    await expect(setup({ use: two }).start(quiet)).rejects.toMatchObject(taken);
  },
);

test("two registries that share a relay can't both have one plugin in it; the second says so, and the first guards on", async () => {
  const relay = createRelay();
  const make = () => setup({ use: { worker, counter: pluginActor({ plugin: folder.path }) }, relay });
  const [first, second] = [make(), make()];
  await first.start(quiet);
  try {
    await expect(second.start(quiet)).rejects.toMatchObject({
      group: "plugin",
      code: "in_relay",
      message: expect.stringContaining("counter/no-rm"),
    });
    const one = (await first.client()).worker.getOrCreate("a");
    await expect(one.tool("rm")).rejects.toMatchObject(refused);
  } finally {
    await first.stop();
  }
  await second.start(quiet);
  await second.stop();
});
