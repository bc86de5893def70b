/** What is checked of a plugin before its code runs: configuration, signatures, pins; and where its code may run. */

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { limits } from "@troupe/protocol";
import { createRelay } from "@troupe/relay/node";
import { nodeEnv } from "@troupe/runtime/process";
import { afterEach, describe, expect, test, vi } from "vitest";
import { activatePlugins } from "../../src/activation/activate-plugins.ts";
import { inspectPlugin } from "../../src/activation/inspect-plugin.ts";
import { libraryOverride } from "../../src/activation/library-override.ts";
import { nativeCarrier } from "../../src/carriers/native/native-carrier.ts";
import { takePins } from "../../src/manifest/pins.ts";
import { readManifest } from "../../src/manifest/read-manifest.ts";
import type { TrustPolicy } from "../../src/manifest/signature.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { pluginSet } from "../../src/plugin-set.ts";
import { openSession } from "../../src/session/open-session.ts";
import { cExample } from "../support/built.ts";
import { nodeSessionEnv } from "../support/node-env.ts";
import { nodeLoad, sha256 } from "../support/plugin-folder.ts";
import { PluginWorld } from "../support/plugin-world.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("configuration", () => {
  const schema = JSON.stringify({
    type: "object",
    required: ["words"],
    additionalProperties: false,
    properties: { words: { type: "array", items: { type: "string" }, minItems: 1 } },
  });
  const load = nodeLoad("main.mjs");
  const source = (): string =>
    PluginWorld.workerSource("words", PluginWorld.refusing("x")).replace(
      "middleware:",
      `start: (config) => { if (config.words[0] === "none") throw new Error("no such word"); }, middleware:`,
    );

  test("reaches the plugin when it fits the schema; what the plugin doesn't want is its own error", async () => {
    using world = new PluginWorld();
    world.write("words/main.mjs", source());
    world.write("words/schema.json", schema);
    const manifest = world.manifest("words", { kind: "worker", load, keys: 'config_schema = "schema.json"' });
    await using active = await activatePlugins({
      plugins: [{ manifest, config: { words: ["a"] } }],
      relay: world.relay,
    });
    expect(active.status).toMatchObject([{ id: "words", state: "active" }]);
    await expect(
      activatePlugins({ plugins: [{ manifest, config: { words: ["none"] } }], relay: world.relay }),
    ).rejects.toMatchObject({ cause: { code: "refused", cause: { message: "no such word" } } });
  });

  test("that doesn't fit is refused by the place and what is accepted there, and no code runs", async () => {
    using world = new PluginWorld();
    world.write("words/main.mjs", "process.exit(77)");
    world.write("words/schema.json", schema);
    const manifest = world.manifest("words", { kind: "worker", load, keys: 'config_schema = "schema.json"' });
    const refused = async (config?: unknown) => (await inspectPlugin({ manifest, config })).problem;
    expect(await refused()).toMatchObject({
      code: "config_invalid",
      message: expect.stringMatching(/words/),
    });
    expect(await refused({ words: [5] })).toMatchObject({
      metadata: { plugin: "words", at: "#/words/0" },
      message: expect.not.stringMatching(/isn't a JSON/),
    });
    expect(await refused({ words: ["a"], more: 1 })).toMatchObject({ code: "config_invalid" });
    expect(await refused({ words: ["a"] })).toBeUndefined();
    world.write("words/schema.json", "[]");
    expect(await refused({})).toMatchObject({ code: "config_schema_invalid" });
    world.write("words/schema.json", `{ "$ref": "#/nowhere" }`);
    expect(await refused({})).toMatchObject({ code: "config_schema_invalid" });
  });
});

describe("signatures", () => {
  const trusted = generateKeyPairSync("ed25519");
  const stranger = generateKeyPairSync("ed25519");

  function policy(signatures: TrustPolicy["signatures"]): TrustPolicy {
    const raw = trusted.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    return { signatures, trustedKeys: [`ed25519:${raw.toString("base64")}`] };
  }

  function signWith(key: KeyObject, manifest: string): void {
    writeFileSync(`${manifest}.sig`, sign(null, readFileSync(manifest), key).toString("base64"));
  }

  function pinned(world: PluginWorld): string {
    const main = PluginWorld.workerSource("signed", PluginWorld.refusing("signed"));
    return world.worker("signed", "signed", { integrity: `sha256 = "${sha256(main)}"` });
  }

  const problem = async (manifest: string, rule: TrustPolicy["signatures"]) =>
    (await inspectPlugin({ manifest }, policy(rule))).problem?.code;

  test("are wanted, or wanted if present, or not looked at, as the policy says", async () => {
    using world = new PluginWorld();
    const manifest = pinned(world);
    expect(await problem(manifest, "signature_required")).toBe("signature_missing");
    expect(await problem(manifest, "signature_if_present")).toBeUndefined();
    signWith(stranger.privateKey, manifest);
    expect(await problem(manifest, "signature_if_present")).toBe("signature_invalid");
    expect(await problem(manifest, "integrity_only")).toBeUndefined();
    signWith(trusted.privateKey, manifest);
    for (const rule of ["signature_required", "signature_if_present"] as const)
      expect(await problem(manifest, rule)).toBeUndefined();
    await using _active = await activatePlugins({
      plugins: [{ manifest }],
      relay: world.relay,
      policy: policy("signature_required"),
    });
    expect(await world.reason()).toBe("signed");
  });

  test("don't hold for a manifest that changed, nor for one that doesn't say which code is meant", async () => {
    using world = new PluginWorld();
    const manifest = pinned(world);
    signWith(trusted.privateKey, manifest);
    world.write("signed/troupe-plugin.toml", `${readFileSync(manifest, "utf8")}\n# more`);
    expect(await problem(manifest, "signature_required")).toBe("signature_invalid");
    writeFileSync(`${manifest}.sig`, "this is no signature");
    expect(await problem(manifest, "signature_if_present")).toBe("signature_invalid");
    const loose = world.worker("loose", "x");
    signWith(trusted.privateKey, loose);
    expect(await problem(loose, "signature_required")).toBe("not_pinned");
    const nonsense = { signatures: "signature_required", trustedKeys: ["ed25519:short"] } as const;
    expect((await inspectPlugin({ manifest }, nonsense)).problem?.code).toBe("key_invalid");
  });
});

describe("S3.1 (in part) every file that runs is the one that was checked", () => {
  const helper = `export const reason = "from the helper";`;
  const main = PluginWorld.workerSource(
    "whole",
    PluginWorld.refusing("x").replace('"x"', "reason"),
    `import { reason } from "./lib/helper.mjs";`,
  );
  const load = nodeLoad("main.mjs");

  function written(world: PluginWorld, files: string): string {
    world.write("whole/main.mjs", main);
    world.write("whole/lib/helper.mjs", helper);
    return world.manifest("whole", {
      kind: "worker",
      load,
      integrity: `sha256 = "${sha256(main)}"\n${files}`,
    });
  }

  test("a worker's module and what it imports", async () => {
    using world = new PluginWorld();
    const manifest = written(world, `[integrity.files]\n"lib/helper.mjs" = "${sha256(helper)}"`);
    await using active = await activatePlugins({ plugins: [{ manifest }], relay: world.relay });
    expect(await world.reason()).toBe("from the helper");
    await active.deactivate();
    world.write("whole/lib/helper.mjs", "export const reason = null;");
    await expect(activatePlugins({ plugins: [{ manifest }], relay: world.relay })).rejects.toMatchObject({
      cause: { code: "integrity_mismatch", message: expect.stringContaining("lib/helper.mjs") },
    });
  });

  test("a file of the plugin that has no digest isn't run, whatever imports it", async () => {
    using world = new PluginWorld();
    const manifest = written(world, "");
    await expect(activatePlugins({ plugins: [{ manifest }], relay: world.relay })).rejects.toMatchObject({
      cause: {
        code: "worker_exited",
        message: expect.stringContaining("lib/helper.mjs isn't among the files under integrity"),
      },
    });
  });

  test("nor is one that a link leads to", async () => {
    using world = new PluginWorld();
    const outside = world.write("outside.mjs", helper);
    world.write("whole/main.mjs", main.replace("./lib/helper.mjs", "./helper.mjs"));
    symlinkSync(outside, join(world.folder.path, "whole/helper.mjs"));
    const digest = sha256(main.replace("./lib/helper.mjs", "./helper.mjs"));
    const manifest = world.manifest("whole", { kind: "worker", load, integrity: `sha256 = "${digest}"` });
    await expect(activatePlugins({ plugins: [{ manifest }], relay: world.relay })).rejects.toMatchObject({
      cause: { code: "worker_exited", message: expect.stringContaining("isn't among the files") },
    });
  });

  test("a Python script runs from copies of what was checked, and finds nothing else beside it", async (context) => {
    if (process.env.TROUPE_TEST_PYTHON === "") return context.skip("no python3");
    using world = new PluginWorld();
    const script = "import sys\nimport helper\nsys.exit(helper.code)\n";
    world.write("whole/main.py", script);
    world.write("whole/helper.py", "code = 41\n");
    const python = { kind: "worker", load: 'runtime = "python"\nentrypoint = "main.py"' };
    const pins = `sha256 = "${sha256(script)}"`;
    const exit = async (integrity: string): Promise<unknown> => {
      const manifest = world.manifest("whole", { ...python, integrity });
      const started = activatePlugins({ plugins: [{ manifest }], relay: world.relay });
      return await started.catch((error) => error.cause.message);
    };
    expect(await exit("")).toMatch(/code 41/);
    expect(await exit(`${pins}\n[integrity.files]\n"helper.py" = "${sha256("code = 41\n")}"`)).toMatch(/41/);
    expect(await exit(pins)).toMatch(/No module named 'helper'/);
  });
});

test("pins: what was pinned is what is run; another manifest or another file is refused", async () => {
  using world = new PluginWorld();
  const manifest = world.worker("pinned", "first");
  const read = await readManifest(manifest);
  const pins = await takePins(read.manifest, read.bytes);
  expect(Object.keys(pins.files)).toEqual(["main.ts"]);
  expect((await inspectPlugin({ manifest, pins })).problem).toBeUndefined();
  world.worker("pinned", "second");
  expect((await inspectPlugin({ manifest, pins })).problem).toMatchObject({
    code: "pin_mismatch",
    message: expect.stringContaining("main.ts isn't what was pinned"),
  });
  world.worker("pinned", "first", { keys: 'startup = "optional"' });
  expect((await inspectPlugin({ manifest, pins })).problem).toMatchObject({
    code: "pin_mismatch",
    message: expect.stringContaining("troupe-plugin.toml isn't what was pinned"),
  });
});

test("pins: code that stands beside the entry is pinned with it, and runs; what others installed there isn't", async () => {
  using world = new PluginWorld();
  const manifest = world.worker("many", "first");
  const main = PluginWorld.workerSource("many", PluginWorld.refusing("first"));
  world.write("many/main.ts", `import "./inner/more.ts";\n${main}`);
  world.write("many/inner/more.ts", "export {};");
  world.write("many/node_modules/other/index.js", "");
  world.write("many/venv/pyvenv.cfg", "");
  world.write("many/venv/lib.js", "");
  world.write("many/.git/hook.js", "");
  const read = await readManifest(manifest);
  const pins = await takePins(read.manifest, read.bytes);
  expect(Object.keys(pins.files)).toEqual(["main.ts", "inner/more.ts"]);
  await using active = await activatePlugins({ plugins: [{ manifest, pins }], relay: world.relay });
  expect(active.status).toMatchObject([{ id: "many", state: "active" }]);
  expect(await world.reason()).toBe("first");
  world.write("many/inner/more.ts", "export const other = 1;");
  expect((await inspectPlugin({ manifest, pins })).problem).toMatchObject({
    code: "pin_mismatch",
    message: expect.stringContaining("inner/more.ts isn't what was pinned"),
  });
  for (let at = 0; at < limits.pluginCodeFiles; at += 1) world.write(`many/inner/${at}.js`, "");
  await expect(takePins(read.manifest, read.bytes)).rejects.toMatchObject({ code: "too_many_files" });
});

describe("where code runs", () => {
  test("a module runs in this process for those who trust it, anew when its bytes are others", async () => {
    using world = new PluginWorld();
    const source = (reason: string): string =>
      `export default { name: "inside", middleware: [${PluginWorld.refusing(reason)}] };`;
    const written = (reason: string): string => {
      world.write("inside/main.mjs", source(reason));
      const integrity = `sha256 = "${sha256(source(reason))}"`;
      return world.manifest("inside", { kind: "module", load: 'module = "main.mjs"', integrity });
    };
    const manifest = written("one");
    await expect(activatePlugins({ plugins: [{ manifest }], relay: world.relay })).rejects.toMatchObject({
      cause: { code: "untrusted" },
    });
    await using active = await activatePlugins({
      plugins: [{ manifest, trusted: true }],
      relay: world.relay,
    });
    expect(active.status).toMatchObject([{ kind: "module", runsIn: "this process" }]);
    expect(await world.reason()).toBe("one");
    written("two");
    await active.reload();
    expect(await world.reason()).toBe("two");
  });

  test("a module that is none is refused", async () => {
    using world = new PluginWorld();
    world.write("inside/main.mjs", "export const plugin = {};");
    const manifest = world.manifest("inside", { kind: "module", load: 'module = "main.mjs"' });
    const start = () => activatePlugins({ plugins: [{ manifest, trusted: true }], relay: world.relay });
    await expect(start()).rejects.toMatchObject({ cause: { code: "not_a_plugin" } });
    world.write("other/main.mjs", "export default {");
    const broken = world.manifest("other", { kind: "module", load: 'module = "main.mjs"' });
    await expect(
      activatePlugins({ plugins: [{ manifest: broken, trusted: true }], relay: world.relay }),
    ).rejects.toMatchObject({ cause: { code: "module_failed" } });
  });

  test("S5.2 (in part) a plugin of this program needs no manifest", async () => {
    using world = new PluginWorld();
    await using _active = await activatePlugins({
      plugins: [
        {
          id: "mine",
          kind: "module",
          plugin: {
            name: "mine",
            middleware: [
              {
                kind: "tool_conditional_execution_guardrail",
                name: "no-rm",
                handle: ({ toolName }) => (toolName === "rm" ? "mine" : null),
              },
            ],
          },
        },
      ],
      relay: world.relay,
    });
    expect(await world.refusal()).toMatchObject({ metadata: { by: "mine/no-rm", reason: "mine" } });
  });

  test("a library runs in a process of its own, in this one where it is pinned, wishes for it and is trusted", async (context) => {
    const built = await cExample("guardrail");
    if (built.missing !== undefined) return context.skip(built.missing);
    using world = new PluginWorld();
    const library = readFileSync(built.path);
    world.write("fast/fast.so", library);
    const runsIn = async (load: string, integrity: string, trusted: boolean) => {
      const manifest = world.manifest("fast", { kind: "native", load, integrity });
      await using active = await activatePlugins({
        plugins: [{ manifest, trusted }],
        relay: world.relay,
      });
      expect(await world.reason()).toBe("rm isn't allowed here");
      return active.status[0]?.runsIn;
    };
    const pinned = `sha256 = "${sha256(library)}"`;
    const inProcess = 'library = "fast.so"\nisolation = "in_process"';
    expect(await runsIn(inProcess, pinned, true)).toBe("this process");
    expect(await runsIn(inProcess, pinned, false)).toBe("its own process");
    expect(await runsIn(inProcess, "", true)).toBe("its own process");
    expect(await runsIn('library = "fast.so"', pinned, true)).toBe("its own process");
  });

  test("a library that can't be loaded has the same code in a process of its own as in this one", async () => {
    using world = new PluginWorld();
    const program = readFileSync(process.execPath).subarray(0, 4_096);
    for (const [content, code] of [
      ["this is no library", "not_a_library"],
      [program, "not_a_library"],
    ] as const) {
      const library = world.write("text/text.so", content);
      const manifest = world.manifest("text", { kind: "native", load: 'library = "text.so"' });
      const failed = await activatePlugins({ plugins: [{ manifest }], relay: world.relay }).catch(
        ({ cause }: { cause: unknown }) => cause,
      );
      expect(failed).toMatchObject({ group: "plugin", code });
      const here = openSession({
        env: nodeSessionEnv,
        open: nativeCarrier({ library }),
        hostVersion: "0",
      });
      await expect(here).rejects.toMatchObject({ group: "plugin", code });
    }
  });

  test("TROUPE_PLUGIN_<ID>_LIBRARY names another library in development, and never where signatures are wanted", async (context) => {
    const built = await cExample("guardrail");
    if (built.missing !== undefined) return context.skip(built.missing);
    using world = new PluginWorld();
    world.write("my-rail/old.so", "an old build");
    const manifest = world.manifest("my-rail", {
      kind: "native",
      load: 'library = "old.so"',
      integrity: `sha256 = "${sha256("an old build")}"`,
    });
    vi.stubEnv("TROUPE_PLUGIN_MY_RAIL_LIBRARY", built.path);
    const read = await readManifest(manifest);
    const overrideIn = (signatures: TrustPolicy["signatures"]) => () =>
      libraryOverride(read.manifest, { signatures, trustedKeys: [] });
    await using active = await activatePlugins({
      plugins: [{ manifest, trusted: true }],
      relay: world.relay,
    });
    expect(active.status).toMatchObject([{ override: built.path, runsIn: "its own process" }]);
    expect(await world.reason()).toBe("rm isn't allowed here");
    // Whoever starts it says so, by its name, once.
    const plugin = { manifest, trusted: true };
    const said: string[] = [];
    const keep = (text: string | Uint8Array): boolean => said.push(String(text)) > 0;
    const spies = [process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, "write").mockImplementation(keep),
    );
    const env = nodeEnv({ logLevel: "warn" });
    const set = pluginSet({ relay: createRelay(), plugins: [plugin] });
    await set.start(env);
    await set.stop();
    const source = pluginActor({ plugin }).behaviour.source({ env, name: "it" });
    const it = { actorId: "1", namespace: "default", name: "it", key: [], input: undefined };
    await Promise.resolve(source.carrier(it)).catch(() => undefined);
    await source.close();
    for (const spy of spies) spy.mockRestore();
    const replaced = said.filter((line) => line.includes("a plugin's library was replaced"));
    expect(replaced).toHaveLength(2);
    for (const line of replaced) expect(line).toContain(`"plugin":"my-rail","override":"${built.path}"`);
    expect(overrideIn("signature_required")).toThrow(expect.objectContaining({ code: "override_refused" }));
    expect(overrideIn("signature_if_present")()).toBe(built.path);
    vi.stubEnv("TROUPE_PLUGIN_MY_RAIL_LIBRARY", "guardrail.so");
    expect((await inspectPlugin({ manifest })).problem?.code).toBe("override_relative");
  });
});
