/** `troupe plugins new`: what it makes builds, is valid, and refuses what it says that it refuses. */
import { execFile } from "node:child_process";
import { appendFileSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { activatePlugins, pluginActor } from "@troupe/plugins";
import { createRelay } from "@troupe/relay/node";
import { setup } from "@troupe/runtime";
import { afterEach, expect, type TestContext, test, vi } from "vitest";
import { findPython } from "../../../plugins/test/support/python.ts";
import { Troupe } from "../support/troupe.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../../..");

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Makes a plugin, builds it, adds and enables it, and asks its guardrail. */
async function story(language: string, build: (folder: string) => Promise<void>): Promise<void> {
  using troupe = new Troupe();
  const { out } = await troupe.plugins("new", "shield", "--lang", language);
  const folder = join(troupe.project, "shield");
  expect(out).toContain(`Made ${folder}:\n`);
  await build(folder);
  expect(await troupe.json("validate", folder)).toMatchObject({ valid: true, id: "shield", problem: null });
  await troupe.plugins("add", folder);
  await troupe.plugins("enable", "shield");
  const relay = createRelay();
  await using _active = await activatePlugins({
    plugins: [{ manifest: join(folder, "troupe-plugin.toml") }],
    relay,
  });
  await expect(relay.toolCallExecute("rm", {}, () => ({ result: null }))).rejects.toMatchObject({
    code: "guardrail_rejected",
    metadata: { by: "shield/no-rm", reason: "rm isn't allowed here" },
  });
  // What it is about is the tool, whatever its arguments say.
  const sly = { toolName: "rm", text: '"toolName":"rm"' };
  expect(await relay.toolCallExecute("ls", sly, () => ({ result: "a" }))).toMatchObject({ result: "a" });
}

/** The path of a program, or the test is skipped by what is missing. */
function needs(context: TestContext, variable: string, title: string): string {
  const path = process.env[variable];
  if (path) return path;
  return context.skip(process.env[`${variable}_WHY`] || `${title} is not installed`);
}

test("a plugin in TypeScript", async () => {
  await story("typescript", async (folder) => {
    // What npm would install.
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(join(root, "packages/troupe"), join(folder, "node_modules/troupe"));
  });
});

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

test("a plugin in C", async (context) => {
  const compiler = needs(context, "TROUPE_TEST_CC", "a C compiler");
  const make = await run("make", ["--version"]).catch(() => undefined);
  if (make === undefined) return context.skip("make is not installed");
  await story("c", async (folder) => {
    await run("make", [`CC=${compiler}`], { cwd: folder });
  });
});

test("a plugin in C for WebAssembly", async (context) => {
  const compiler = needs(context, "TROUPE_TEST_CLANG", "clang");
  needs(context, "TROUPE_TEST_WASM_LD", "wasm-ld");
  const make = await run("make", ["--version"]).catch(() => undefined);
  if (make === undefined) return context.skip("make is not installed");
  await story("c-wasm", async (folder) => {
    await run("make", [`CLANG=${compiler}`], { cwd: folder });
  });
});

test("a plugin in Rust", { timeout: 290_000 }, async (context) => {
  const cargo = needs(context, "TROUPE_TEST_CARGO", "cargo");
  const make = await run("make", ["--version"]).catch(() => undefined);
  if (make === undefined) return context.skip("make is not installed");
  const env = { ...process.env, PATH: `${join(cargo, "..")}:${process.env.PATH}` };
  await story("rust", async (folder) => {
    try {
      await run("cargo", ["fetch"], { cwd: folder, env, timeout: 120_000 });
    } catch (error) {
      context.skip(`the crates can't be fetched: ${String(error).slice(0, 200)}`);
    }
    await run("make", [], { cwd: folder, env, timeout: 280_000 });
  });
});

test("a plugin in Python", async (context) => {
  const python = await findPython();
  if (python.missing !== undefined) return context.skip(python.missing);
  vi.stubEnv("TROUPE_PYTHON", python.path);
  await story("python", async () => {});
});

test("a folder that is there isn't written into; a name and a language are what they must be", async () => {
  using troupe = new Troupe();
  mkdirSync(join(troupe.project, "mine"));
  expect(await troupe.refused("new", "mine", "--lang", "c")).toBe("config.folder_exists");
  expect(await troupe.refused("new", "../mine", "--lang", "c")).toBe("config.bad_plugin_name");
  expect(await troupe.refused("new", "other", "--lang", "cobol")).toBe("config.bad_language");
  expect(await troupe.refused("new", "other", "--lang", "constructor")).toBe("config.bad_language");
});
