/** `troupe start`: a program's registry and its plugins, in a process of their own. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PluginFolder } from "./support/plugin-folder.ts";
import { Started } from "./support/started.ts";
import { Troupe } from "./support/troupe.ts";

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

describe("plugins that are installed and enabled", () => {
  const noRm = `{ kind: "tool_conditional_execution_guardrail", name: "no-rm",
    handle: ({ toolName }) => (toolName === "rm" ? "nothing is removed" : null) }`;

  /** A user who has enabled "guard", and a program that knows nothing of it. */
  class Shielded extends PluginFolder {
    readonly troupe = new Troupe();
    readonly #started: Started[] = [];

    async enable(): Promise<void> {
      await this.troupe.plugins("add", this.worker("guard", noRm));
      await this.troupe.plugins("enable", "guard");
    }

    program(more = ""): string {
      return this.write(
        "program.ts",
        `import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
         const agent = actor({ actions: { one: () => 1, use: (c, tool) => c.tool(tool, {}, () => tool + " ran") } });
         export const registry = setup({ use: { agent } });
         ${more}`,
      );
    }

    start(program: string, ...flags: readonly string[]): Started {
      // For those, too, who open the registry before it is started.
      const env = { XDG_CONFIG_HOME: this.troupe.config, TROUPE_DATA: join(this.path, "data") };
      const started = Started.troupe(["start", program, "--port", "0", ...flags], env);
      this.#started.push(started);
      return started;
    }

    async [Symbol.asyncDispose](): Promise<void> {
      for (const started of this.#started) await started[Symbol.asyncDispose]();
      this.troupe[Symbol.dispose]();
      this[Symbol.dispose]();
    }
  }

  async function call(started: Started, action: string, ...args: readonly string[]): Promise<string> {
    const [, endpoint = ""] = /(http:\S+)/.exec(await started.said(/http:\S+ /)) ?? [];
    const request = { method: "POST", body: JSON.stringify({ args }) };
    return await (await fetch(`${endpoint}/actor/agent/action/${action}?key=a`, request)).text();
  }

  test("are in force in a program that names none, and left out with --no-installed", async () => {
    await using user = new Shielded();
    await user.enable();
    const started = user.start(user.program());
    expect(await started.said(/installed plugins/)).toMatch(
      /^troupe {2}installed plugins: guard \d\S+ \(user: 1 guardrail\)$/m,
    );
    expect(await call(started, "use", "ls")).toContain("ls ran");
    expect(await call(started, "use", "rm")).toContain("guardrail_rejected");
    user.write("guard/main.ts", "process.exit(1)");
    started.kill("SIGHUP");
    expect(await started.said(/Not reloaded/)).toContain("[plugin.required_failed]");
    expect(await call(started, "use", "rm")).toContain("guardrail_rejected");
    expect(await started.ended("SIGTERM")).toMatchObject({ code: 0 });
    const broken = await user.start(user.program()).ended();
    expect(broken).toMatchObject({ code: 1, out: expect.stringContaining("[plugin.required_failed]") });
    expect(broken.out).toContain("on the user's list of plugins");
    expect(broken.out).toMatch(/troupe plugins disable guard;.*--no-installed/);
    const without = user.start(user.program(), "--no-installed");
    expect(await call(without, "one")).toContain("1");
    without.kill("SIGHUP");
    await without.said(/There are no plugins to reload/);
  });

  test("come with SIGHUP where the program has a relay; the program's own of the same id stays", async () => {
    await using user = new Shielded();
    const own = user.write(
      "own.ts",
      `import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
           import { pluginSet } from ${JSON.stringify(import.meta.resolve("troupe/plugins"))};
           const guard = { id: "guard", kind: "module", plugin: { name: "guard", middleware: [
             { kind: "tool_conditional_execution_guardrail", name: "no-rm", handle: ({ toolName }) => toolName === "mv" ? "no" : null },
           ] } };
           const agent = actor({ actions: { use: (c, tool) => c.tool(tool, {}, () => tool + " ran") } });
           export const registry = setup({ use: { agent }, plugins: pluginSet({ plugins: [guard] }) });`,
    );
    const started = user.start(own);
    expect(await call(started, "use", "mv")).toContain("guardrail_rejected");
    await user.enable();
    const other = user.worker("other", noRm);
    await user.troupe.plugins("add", other);
    await user.troupe.plugins("enable", "other");
    started.kill("SIGHUP");
    await started.said(/Reloaded the plugins/);
    expect(await call(started, "use", "rm")).toContain("guardrail_rejected");
    expect(await call(started, "use", "mv")).toContain("guardrail_rejected");
    expect(await call(started, "use", "ls")).toContain("ls ran");
  });

  test("a program that names another plugin, by its path, starts beside them, and that one is in force as well", async () => {
    await using user = new Shielded();
    await user.enable();
    user.worker("path", noRm.replace('"rm"', '"mv"'));
    const program = user.write(
      "named.ts",
      `import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
       import { pluginActor } from ${JSON.stringify(import.meta.resolve("troupe/plugins"))};
       const agent = actor({ actions: { use: (c, tool) => c.tool(tool, {}, () => tool + " ran") } });
       const named = pluginActor({ plugin: ${JSON.stringify(join(user.path, "path"))} });
       export const registry = setup({ use: { agent, named } });`,
    );
    const started = user.start(program);
    expect(await call(started, "use", "rm")).toContain("guardrail_rejected");
    expect(await call(started, "use", "mv")).toContain("guardrail_rejected");
    await started.ended("SIGTERM");
    const without = user.start(program, "--no-installed");
    expect(await call(without, "use", "mv")).toContain("guardrail_rejected");
    expect(await call(without, "use", "rm")).toContain("rm ran");
    expect(without.out).not.toContain("installed plugins");
    user.worker("path", noRm.replace('"rm"', '"cp"'));
    without.kill("SIGHUP");
    await without.said(/Reloaded the plugins/);
    expect(await call(without, "use", "mv")).toContain("mv ran");
    expect(await call(without, "use", "cp")).toContain("guardrail_rejected");
    user.write("path/main.ts", "process.exit(1)");
    without.kill("SIGHUP");
    expect(await without.said(/Not reloaded/)).toContain("[plugin.required_failed]");
    expect(await call(without, "use", "cp")).toContain("guardrail_rejected");
    // With host processes tools would run where it is not.
    user.worker("path", noRm);
    const hosts = await user.start(program, "--no-installed", "--hosts", "1").ended();
    expect(hosts).toMatchObject({ code: 1, out: expect.stringContaining("[config.hosts_unguarded]") });
  });

  test("a plugin that a program names is there, and no other of an id that the program's set has; the set's own runs once", async () => {
    await using user = new Shielded();
    using other = new PluginFolder();
    const manifest = user.worker("guard", noRm);
    const path = (file: string): string => JSON.stringify(file);
    const program = (named: string): string =>
      user.write(
        "named.ts",
        `import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
         import { pluginActor, pluginSet } from ${JSON.stringify(import.meta.resolve("troupe/plugins"))};
         const agent = actor({ actions: { use: (c, tool) => c.tool(tool, {}, () => tool + " ran") } });
         const named = pluginActor({ plugin: ${path(named)} });
         const plugins = pluginSet({ plugins: [{ manifest: ${path(manifest)} }] });
         export const registry = setup({ use: { agent, named }, plugins });`,
      );
    const refused = [
      [other.worker("guard", noRm), "[plugin.id_taken]"],
      [join(user.path, "none"), "[plugin.required_failed]"],
    ] as const;
    for (const [named, code] of refused) {
      const ended = await user.start(program(named)).ended();
      expect(ended).toMatchObject({ code: 1, out: expect.stringContaining(code) });
    }
    const started = user.start(program(manifest));
    expect(await call(started, "use", "rm")).toContain("guardrail_rejected");
    started.kill("SIGHUP");
    await started.said(/Reloaded the plugins/);
    expect(await call(started, "use", "rm")).toContain("guardrail_rejected");
  });

  test("a program is refused that runs without them, or whose tools run where they are not", async () => {
    await using user = new Shielded();
    await user.enable();
    const early = await user.start(user.program("await registry.client();")).ended();
    expect(early).toMatchObject({ code: 1, out: expect.stringContaining("[config.installed_unused]") });
    const hosts = await user.start(user.program(), "--hosts", "1").ended();
    expect(hosts).toMatchObject({ code: 1, out: expect.stringContaining("[config.hosts_unguarded]") });
    expect(hosts.out).toContain("guard/no-rm");
    expect(hosts.out).toMatch(/troupe plugins disable guard, or --no-installed/);
    // One that comes later finds no relay there.
    await user.troupe.plugins("disable", "guard");
    const started = user.start(user.program(), "--hosts", "1");
    await started.said(/1 hosts/);
    await user.troupe.plugins("enable", "guard");
    started.kill("SIGHUP");
    expect(await started.said(/eloaded/)).toMatch(/Not reloaded.*has no relay/);
    expect(await started.ended("SIGTERM")).toMatchObject({ code: 0 });
  });
});
