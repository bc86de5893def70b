/** `troupe start`: a program's registry and its plugins, in a process of their own. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { PluginFolder } from "./support/plugin-folder.ts";
import { Started } from "./support/started.ts";

test("it serves, reloads its plugins on SIGHUP, keeps them when that fails, and ends on SIGTERM", async () => {
  using folder = new PluginFolder();
  const manifest = folder.worker("guard", "");
  const program = folder.write(
    "program.ts",
    `import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
     import { pluginSet } from ${JSON.stringify(import.meta.resolve("troupe/plugins"))};
     import { createRelay } from ${JSON.stringify(import.meta.resolve("troupe/relay"))};
     const plugins = pluginSet({ relay: createRelay(), plugins: [{ manifest: ${JSON.stringify(manifest)} }] });
     export const registry = setup({ use: { counter: actor({ actions: { one: () => 1 } }) }, plugins });`,
  );
  const started = Started.troupe(["start", program, "--port", "0", "--data", join(folder.path, "data")]);
  const [, endpoint = ""] = /(http:\S+)/.exec(await started.said(/http:\S+ /)) ?? [];
  const answer = await fetch(`${endpoint}/actor/counter/action/one?key=a`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"args":[]}`,
  });
  expect(answer.status).toBe(200);
  started.kill("SIGHUP");
  await started.said(/Reloaded the plugins/);
  folder.write("guard/main.ts", "process.exit(1)");
  started.kill("SIGHUP");
  expect(await started.said(/Not reloaded/)).toContain("[plugin.required_failed]");
  expect((await fetch(`${endpoint}/readyz`)).status).toBe(200);
  expect(await started.ended("SIGTERM")).toMatchObject({ code: 0 });
});

test("a program without a registry, or that can't be imported, is refused by name", async () => {
  using folder = new PluginFolder();
  const none = await Started.troupe(["start", folder.write("none.ts", "export const other = 1;")]).ended();
  expect(none).toMatchObject({ code: 1, out: expect.stringContaining("[config.no_registry]") });
  // It has an endpoint of its own by the time that it is looked at: nothing of it is left running.
  const own = folder.write(
    "own.ts",
    `import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
     const use = { counter: actor({ actions: { one: () => 1 } }) };
     await setup({ use }).start({ port: 0, durability: "memory" });`,
  );
  const itself = await Started.troupe(["start", own]).ended();
  expect(itself).toMatchObject({ code: 1, out: expect.stringContaining("http://") });
  expect(itself.out).toMatch(/run with node \[config\.no_registry\]/);
  const broken = await Started.troupe([
    "start",
    folder.write("broken.ts", "throw new Error('as it says');"),
  ]).ended();
  expect(broken).toMatchObject({
    code: 1,
    out: expect.stringContaining("as it says [config.program_failed]"),
  });
});
