/** What becomes of a plugin's files on each carrier that runs source: one start for all, failed ones, rebuilt ones. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setup } from "@troupe/runtime";
import { describe, expect, test } from "vitest";
import { pluginActor } from "../../src/plugin-actor.ts";
import { pluginSet } from "../../src/plugin-set.ts";
import type { ModuleReport } from "../support/module-program.ts";
import { PluginWorld } from "../support/plugin-world.ts";

const quiet = { port: 0, signals: false, banner: false, durability: "memory" } as const;
const program = join(import.meta.dirname, "../support/module-program.ts");
const worker = JSON.stringify(new URL("../../src/worker.ts", import.meta.url).href);
const runtime = JSON.stringify(import.meta.resolve("@troupe/runtime"));

/** Says a number that stands in a module of its own, and each start where there is a file for that. */
const code = `import { appendFileSync } from "node:fs";
  import { actor } from ${runtime};
  import { number } from "./number.mjs";
  appendFileSync(new URL("starts", import.meta.url), "1");
  const actors = { teller: actor({ actions: { tell: () => number } }) };`;

const carriers = {
  worker: {
    kind: "worker",
    load: 'runtime = "node"\nentrypoint = "main.mjs"',
    write: (world: PluginWorld, number: number) => {
      world.write("teller/number.mjs", `export const number = ${number};`);
      const serve = `import { serveWorker } from ${worker};`;
      world.write("teller/main.mjs", `${serve} ${code} await serveWorker({ name: "teller", actors });`);
    },
  },
  isolate: {
    kind: "isolate",
    load: 'module = "main.mjs"',
    write: (world: PluginWorld, number: number) => {
      const source = `import { actor } from "troupe"; export default actor({ actions: { tell: () => ${number} } });`;
      world.write("teller/main.mjs", source);
    },
  },
} as const;

/** Who calls in the host's own process gets the cause; what a process said last isn't for others. */
const notYet = {
  asymmetricMatch: (error: Error) => `${error.message} ${error.cause}`.includes("not yet"),
};

describe.each(Object.entries(carriers))("a plugin of the kind %s", (_kind, { kind, load, write }) => {
  test("S1.1 (in part) is started once for a hundred that ask at once; a start that failed isn't kept", {
    timeout: 60_000,
  }, async () => {
    using world = new PluginWorld();
    const manifest = world.manifest("teller", { kind, load, capabilities: ["actors"] });
    world.write("teller/main.mjs", "throw new Error('not yet');");
    const plugin = { manifest, trusted: true };
    const registry = setup({ use: { teller: pluginActor({ plugin }) } });
    await registry.start(quiet);
    try {
      const client = await registry.client();
      const tell = (key: string) => client.teller.getOrCreate(key).action({ name: "tell", args: [] });
      await expect(tell("early")).rejects.toEqual(notYet);
      write(world, 1);
      const keys = Array.from({ length: 100 }, (_, key) => `${key}`);
      expect(new Set(await Promise.all(keys.map(tell)))).toEqual(new Set([1]));
      const starts = join(world.folder.path, "teller/starts");
      if (kind !== "isolate") expect(readFileSync(starts, "utf8")).toBe("1");
      else expect(existsSync(starts)).toBe(false);
    } finally {
      await registry.stop();
    }
  });

  test("S1.1 (in part) that was rebuilt in place is what it is now behind a reload, and not before", {
    timeout: 60_000,
  }, async () => {
    using world = new PluginWorld();
    const manifest = world.manifest("teller", { kind, load, capabilities: ["actors"] });
    write(world, 1);
    const plugins = pluginSet({ relay: world.relay, plugins: [{ manifest, trusted: true }] });
    const registry = setup({ use: { teller: pluginActor({ plugin: "teller" }) }, plugins });
    await registry.start(quiet);
    try {
      const client = await registry.client();
      const tell = (key: string) => client.teller.getOrCreate(key).action({ name: "tell", args: [] });
      expect(await tell("a")).toBe(1);
      write(world, 2);
      expect(await tell("b")).toBe(1);
      await plugins.reload();
      expect([await tell("a"), await tell("c")]).toEqual([2, 2]);
    } finally {
      await registry.stop();
    }
  });
});

test("S1.1 (in part) a module is imported once for a hundred calls, a failed import isn't kept, and what it imports is new behind a reload", {
  timeout: 60_000,
}, () => {
  using world = new PluginWorld();
  world.manifest("teller", { kind: "module", load: 'module = "main.mjs"', capabilities: ["actors"] });
  const actors = `import { actor } from ${runtime};
    export const actors = { teller: actor({ actions: { tell: () => 1 } }) };`;
  world.write("teller/teller.mjs", actors);
  const main = `import { appendFileSync } from "node:fs";
    import { actors } from "./teller.mjs";
    appendFileSync(new URL("starts", import.meta.url), "1");
    export default { name: "teller", actors };`;
  world.write("teller/main.mjs", main);
  const args = ["--conditions=troupe-source", program, join(world.folder.path, "teller")];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stdout, stderr).not.toBe("");
  const report: ModuleReport = JSON.parse(stdout);
  expect(report).toEqual({ failed: "plugin.module_failed", starts: 1, told: [1], rebuilt: [1, 1, 2, 2] });
});

test("an isolate's module is TypeScript when its name says so, and has no network", async () => {
  using world = new PluginWorld();
  const parts = { kind: "isolate", load: 'module = "main.ts"', capabilities: ["actors"] } as const;
  const plugin = { manifest: world.manifest("teller", parts) };
  const source = `import { actor } from "troupe"; export default actor({ actions: { tell: (_c: unknown): string => typeof fetch } });`;
  world.write("teller/main.ts", source);
  const registry = setup({ use: { teller: pluginActor({ plugin }) } });
  await registry.start(quiet);
  try {
    const client = await registry.client();
    expect(await client.teller.getOrCreate(["a"]).action({ name: "tell", args: [] })).toBe("undefined");
  } finally {
    await registry.stop();
  }
});
