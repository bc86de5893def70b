/** `troupe plugins new`, and what it refuses. That what it makes builds and works: `conformance/plugin/templates.test.ts`. */
import { appendFileSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pluginActor } from "@troupe/plugins";
import { activatePlugins } from "@troupe/plugins/activation";
import { createRelay } from "@troupe/relay/node";
import { setup } from "@troupe/runtime";
import { expect, onTestFinished, test, vi } from "vitest";
import { Troupe } from "../support/troupe.ts";

test("an actor in an isolate: made, added, enabled, and called in a process of its own; another file than its digest says isn't run", {
  timeout: 120_000,
}, async () => {
  using troupe = new Troupe();
  await troupe.plugins("new", "tally", "--lang", "isolate");
  const folder = join(troupe.project, "tally");
  expect(await troupe.json("validate", folder)).toMatchObject({ valid: true, id: "tally", problem: null });
  await troupe.plugins("add", folder);
  await troupe.plugins("enable", "tally");
  expect(await troupe.json("inspect", "tally")).toMatchObject({
    plugin: { kind: "isolate", runsIn: "its own process" },
  });
  const registry = setup({ use: { counter: pluginActor({ plugin: folder }) } });
  await registry.start({ port: 0, signals: false, banner: false, durability: "memory" });
  try {
    const client = await registry.client();
    const act = (name: string, ...args: unknown[]) =>
      client.counter.getOrCreate(["a"]).action({ name, args });
    expect(await act("increment", 41)).toBe(41);
    expect(await act("increment")).toBe(42);
    await expect(act("increment", "one")).rejects.toMatchObject({ code: "not_a_number" });
  } finally {
    await registry.stop();
  }
  const manifest = join(folder, "troupe-plugin.toml");
  appendFileSync(manifest, `\n[integrity]\nsha256 = "${"0".repeat(64)}"\n`);
  const [refused, configured] = await Promise.allSettled([
    activatePlugins({ plugins: [{ manifest }], relay: createRelay() }),
    activatePlugins({ plugins: [{ manifest, config: { a: 1 } }], relay: createRelay() }),
  ]);
  expect(refused).toMatchObject({ reason: { cause: { code: "integrity_mismatch" } } });
  expect(configured).toMatchObject({ reason: { cause: { code: "config_invalid" } } });
});

test("a module: made, added, enabled by who trusts it, and called in this process; a change isn't run until it is pinned", async () => {
  using troupe = new Troupe();
  vi.stubEnv("XDG_CONFIG_HOME", troupe.config);
  onTestFinished(() => void vi.unstubAllEnvs());
  mkdirSync(join(troupe.project, "node_modules"));
  symlinkSync(join(import.meta.dirname, "../../../troupe"), join(troupe.project, "node_modules/troupe"));
  await troupe.plugins("new", "meter", "--lang", "module");
  const folder = join(troupe.project, "meter");
  expect(await troupe.json("validate", folder)).toMatchObject({ valid: true, id: "meter", problem: null });
  await troupe.plugins("add", folder);
  expect(await troupe.refused("enable", "meter")).toBe("plugin.untrusted");
  await troupe.plugins("enable", "meter", "--trust");
  expect(await troupe.json("inspect", "meter")).toMatchObject({
    plugin: { kind: "module", runsIn: "this process" },
  });
  const increment = async (by: unknown): Promise<unknown> => {
    const registry = setup({ use: { counter: pluginActor({ plugin: "meter" }) } });
    await registry.start({ port: 0, signals: false, banner: false, durability: "memory" });
    try {
      const client = await registry.client();
      return await client.counter.getOrCreate(["a"]).action({ name: "increment", args: [by] });
    } finally {
      await registry.stop();
    }
  };
  expect(await increment(42)).toBe(42);
  await expect(increment("one")).rejects.toMatchObject({ code: "not_a_number" });
  appendFileSync(join(folder, "plugin.ts"), "\nconst more = 1;\n");
  // It has a guardrail, which isn't left out in silence.
  await expect(increment(42)).rejects.toMatchObject({
    code: "required_failed",
    metadata: { code: "pin_mismatch" },
  });
  expect(await troupe.refused("enable", "meter")).toBe("plugin.pin_mismatch");
  await troupe.plugins("pin", "meter");
  expect(await increment(42)).toBe(42);
});

test("a folder that is there isn't written into; a name and a language are what they must be", async () => {
  using troupe = new Troupe();
  mkdirSync(join(troupe.project, "mine"));
  expect(await troupe.refused("new", "mine", "--lang", "c")).toBe("config.folder_exists");
  expect(await troupe.refused("new", "../mine", "--lang", "c")).toBe("config.bad_plugin_name");
  expect(await troupe.refused("new", "other", "--lang", "cobol")).toBe("config.bad_language");
  expect(await troupe.refused("new", "other", "--lang", "constructor")).toBe("config.bad_language");
});

test("all steps up to the first call are printed, and the folder's README has the same program", async () => {
  using troupe = new Troupe();
  for (const language of ["c", "c-wasm", "isolate", "module", "python", "rust", "typescript"]) {
    const id = `tally-${language}`;
    const { out: said } = await troupe.plugins("new", id, "--lang", language);
    const readme = readFileSync(join(troupe.project, id, "README.md"), "utf8");
    const program = said.split("\n").filter((line) => /^ {2}(import|export) /.test(line));
    expect(program).toHaveLength(3);
    for (const line of program) expect(readme).toContain(line.trim());
    for (const step of [`troupe plugins enable ${id}`, "troupe start server.mjs", "curl -d"]) {
      expect(said).toContain(step);
      expect(readme).toContain(step);
    }
  }
});
