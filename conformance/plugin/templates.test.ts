/**
 * The example of every SDK, as `troupe plugins new` makes it: it builds, its own test passes, it can be installed, and it does what
 * every plugin must. Each is made and built once.
 */

import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { activatePlugins } from "@troupe/plugins/activation";
import { integrityOnly } from "@troupe/plugins/installed";
import { createRelay } from "@troupe/relay/node";
import { type CarrierRequest, carriedActor } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import { afterAll, describe, expect, test, vi } from "vitest";
import { Troupe } from "../../packages/cli/test/support/troupe.ts";
import { manifestOf } from "../../packages/plugins/src/activation/plugin-source.ts";
import { preparePlugin } from "../../packages/plugins/src/activation/prepared-plugin.ts";
import type { OpenCarrier } from "../../packages/plugins/src/carrier.ts";
import { wasmCarrier } from "../../packages/plugins/src/carriers/wasm/wasm-carrier.ts";
import { workerCarrier } from "../../packages/plugins/src/carriers/worker/worker-carrier.ts";
import type { NativeLoad, WorkerLoad } from "../../packages/plugins/src/manifest/load.ts";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import { cargoEnvironment } from "../../packages/plugins/test/support/built.ts";
import { nodeSessionEnv } from "../../packages/plugins/test/support/node-env.ts";
import { type FoundPython, findPython } from "../../packages/plugins/test/support/python.ts";
import { actorDefaultsKit } from "./defaults-kit.ts";
import { exampleKit } from "./example-kit.ts";
import { type PluginUnderTest, pluginKit, rejectionKit } from "./plugin-kit.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const unchecked = { sha256: undefined, files: new Map<string, string>() };

/** One language: what must be there, what builds and tests the plugin in its folder, and what carries it then. */
interface Language {
  readonly name: string;
  readonly title: string;
  /** Programs that are needed, by their variables; a word on each. */
  readonly needs?: Readonly<Record<string, string>>;
  readonly build: (folder: string) => Promise<unknown>;
  readonly ownTest: (folder: string) => Promise<unknown>;
  readonly carrier: (folder: string) => OpenCarrier;
  /** It runs in this process. Default: it doesn't. */
  readonly trusted?: boolean;
}

const make = (folder: string, ...args: readonly string[]) =>
  run("make", args, { cwd: folder, env: buildEnv(), timeout: 280_000 });

/** Crates are built once for all that are built in this clone. */
function buildEnv(): NodeJS.ProcessEnv {
  const cargo = process.env.TROUPE_TEST_CARGO;
  const path = cargo ? `${join(cargo, "..")}:${process.env.PATH}` : process.env.PATH;
  return { ...cargoEnvironment(), PATH: path };
}

function worker(folder: string, load: NativeLoad | WorkerLoad): OpenCarrier {
  return workerCarrier({ plugin: "shield", env: nodeSessionEnv, origin: { file: "the kit", folder }, load });
}

const script = (runtime: WorkerLoad["runtime"], entrypoint: string) => (folder: string) =>
  worker(folder, {
    kind: "worker",
    runtime,
    entrypoint,
    args: [],
    env: ["NODE_COMPILE_CACHE"],
    ...unchecked,
  });
const library = (folder: string) =>
  worker(folder, { kind: "native", library: "plugin.so", isolation: "process", ...unchecked });

/** What npm would install. */
function installTroupe(folder: string): void {
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(root, "packages/troupe"), join(folder, "node_modules/troupe"));
}

const compiler = { TROUPE_TEST_CC: "a C compiler" };
const wasmTools = { TROUPE_TEST_CLANG: "clang", TROUPE_TEST_WASM_LD: "wasm-ld" };
const languages: readonly Language[] = [
  {
    name: "module",
    title: "module, TypeScript",
    build: async (folder) => installTroupe(join(folder, "..")),
    ownTest: (folder) => run(process.execPath, ["--conditions=troupe-source", "--test"], { cwd: folder }),
    carrier: (folder) => async (events) => {
      const source = { manifest: join(folder, "troupe-plugin.toml"), trusted: true };
      return (await preparePlugin(await manifestOf(source), source, integrityOnly)).open(nodeEnv())(events);
    },
    trusted: true,
  },
  {
    name: "typescript",
    title: "worker, TypeScript",
    build: async (folder) => installTroupe(folder),
    ownTest: (folder) => run(process.execPath, ["--conditions=troupe-source", "--test"], { cwd: folder }),
    carrier: script("node", "main.ts"),
  },
  {
    name: "python",
    title: "worker, Python",
    build: async () => undefined,
    ownTest: async (folder) => {
      return await run(process.env.TROUPE_PYTHON ?? "python3", ["-B", "-m", "unittest"], { cwd: folder });
    },
    carrier: script("python", "main.py"),
  },
  {
    name: "c",
    title: "native in its own process, C",
    needs: compiler,
    build: (folder) => make(folder, `CC=${process.env.TROUPE_TEST_CC}`),
    ownTest: (folder) => make(folder, `CC=${process.env.TROUPE_TEST_CC}`, "test"),
    carrier: library,
  },
  {
    name: "c-wasm",
    title: "wasm, C",
    needs: { ...compiler, ...wasmTools },
    build: (folder) => make(folder, `CLANG=${process.env.TROUPE_TEST_CLANG}`),
    // The same sources and the same test as in C.
    ownTest: async () => undefined,
    carrier: (folder) => wasmCarrier({ wasm: join(folder, "plugin.wasm") }),
  },
  {
    name: "rust",
    title: "native in its own process, Rust",
    needs: { TROUPE_TEST_CARGO: "cargo" },
    build: (folder) => make(folder),
    ownTest: (folder) => make(folder, "test"),
    carrier: library,
  },
];

/** Python is found by its variable, here and by the host. */
async function python(): Promise<FoundPython> {
  const found = await findPython();
  if (found.missing === undefined) vi.stubEnv("TROUPE_PYTHON", found.path);
  return found;
}

/** A language's plugin, made and built; or what is missing. */
type Made = { readonly troupe: Troupe; readonly folder: string } | { readonly missing: string };

async function whatIsMissing({ name, needs = {} }: Language): Promise<string | undefined> {
  if (name === "python") return (await python()).missing;
  for (const [variable, title] of Object.entries(needs))
    if (!process.env[variable]) return process.env[`${variable}_WHY`] || `${title} is not installed`;
  if (name === "typescript" || name === "module") return undefined;
  return (await run("make", ["--version"]).catch(() => undefined)) === undefined
    ? "make is not installed"
    : undefined;
}

async function build(language: Language): Promise<Made> {
  const missing = await whatIsMissing(language);
  if (missing !== undefined) return { missing };
  const troupe = new Troupe();
  const { out } = await troupe.plugins("new", "shield", "--lang", language.name);
  const folder = join(troupe.project, "shield");
  expect(out).toContain(`Made ${folder}:\n`);
  await language.build(folder);
  return { troupe, folder };
}

describe.each(languages)("$title template:", (language) => {
  let making: Promise<Made> | undefined;
  const made = (): Promise<Made> => {
    making ??= build(language);
    return making;
  };
  const find = async (): Promise<PluginUnderTest> => {
    const found = await made();
    if ("missing" in found) return found;
    return { open: language.carrier(found.folder), actors: ["counter"] };
  };
  afterAll(async () => {
    const found = await making;
    if (found !== undefined && "troupe" in found) found.troupe[Symbol.dispose]();
    vi.unstubAllEnvs();
  });

  test("it passes its own test, can be installed and enabled, and refuses what it says that it refuses", {
    timeout: 290_000,
  }, async (context) => {
    const found = await made();
    if ("missing" in found) return context.skip(found.missing);
    const { troupe, folder } = found;
    await language.ownTest(folder);
    expect(await troupe.json("validate", folder)).toMatchObject({ valid: true, id: "shield", problem: null });
    await troupe.plugins("add", folder);
    const { trusted = false } = language;
    if (trusted) expect(await troupe.refused("enable", basename(folder))).toBe("plugin.untrusted");
    await troupe.plugins("enable", basename(folder), ...(trusted ? ["--trust"] : []));
    const relay = createRelay();
    await using _active = await activatePlugins({
      plugins: [{ manifest: join(folder, "troupe-plugin.toml"), trusted }],
      relay,
    });
    await expect(relay.toolCallExecute("rm", {}, () => ({ result: null }))).rejects.toMatchObject({
      code: "guardrail_rejected",
      metadata: { by: "shield/no-rm", reason: "rm isn't allowed here" },
    });
    // What it is about is the tool, whatever its arguments say.
    const sly = { toolName: "rm", text: '"toolName":"rm"' };
    expect(await relay.toolCallExecute("ls", sly, () => ({ result: "a" }))).toMatchObject({ result: "a" });
    await relay.flushSubscribers();
  });

  pluginKit(language.title, find);
  rejectionKit(`S5.9 a guardrail's rejection keeps its type across every carrier: ${language.title}`, find);
  exampleKit(language.title, find);
  actorDefaultsKit(language.title, async () => {
    const found = await find();
    if ("missing" in found) return found;
    const open = async ({ env }: CarrierRequest) =>
      (await openSession({ env, open: found.open, hostVersion: "0.0.0" })).actor("counter");
    return { definition: carriedActor(open) };
  });
});
