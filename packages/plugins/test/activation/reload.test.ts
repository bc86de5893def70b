/** Reloading: others in the place of those that run, without a moment without guardrails. */
import { existsSync, readFileSync } from "node:fs";
import { type Logger, type Timers, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { createRelay } from "@troupe/relay/node";
import { nodeEnv } from "@troupe/runtime/process";
import { describe, expect, test } from "vitest";
import { activatePlugins } from "../../src/activation/activate-plugins.ts";
import type { PluginSource } from "../../src/activation/plugin-source.ts";
import { pluginSet } from "../../src/plugin-set.ts";
import { cExample } from "../support/built.ts";
import { nodeLoad } from "../support/plugin-folder.ts";
import { PluginWorld } from "../support/plugin-world.ts";

/** A plugin of this process: a guardrail that says `reason` when `decide` lets it. */
function rail(id: string, reason: string, decide: () => Promise<void> = async () => {}): PluginSource {
  const handle = async ({ toolName }: { readonly toolName: string }): Promise<string | null> => {
    await decide();
    return toolName === "rm" ? reason : null;
  };
  const kind = "tool_conditional_execution_guardrail";
  return { id, kind: "module", plugin: { name: id, middleware: [{ kind, name: "no-rm", handle }] } };
}

test("S5.4 (in part) no call gets through while plugins are replaced, whenever it comes", async () => {
  using world = new PluginWorld();
  const manifest = world.worker("guard", "one");
  await using active = await activatePlugins({ plugins: [{ manifest }], relay: world.relay });
  let reloading = true;
  const reasons: unknown[] = [];
  const asking = (async () => {
    while (reloading) reasons.push(await world.reason());
  })();
  for (const reason of ["two", "three", "four"]) {
    world.worker("guard", reason);
    await active.reload();
  }
  reloading = false;
  await asking;
  const seen = new Set(reasons);
  expect([...seen].every((reason) => ["one", "two", "three", "four"].includes(String(reason)))).toBe(true);
  expect(seen.size).toBeGreaterThan(1);
  expect(await world.reason()).toBe("four");
  expect(active.status).toMatchObject([{ id: "guard", state: "active", registrations: ["guard/no-rm"] }]);
});

describe("a reload that fails changes nothing", () => {
  test("when a plugin can't be started: those that run were never stopped", async () => {
    using world = new PluginWorld();
    const manifest = world.worker("guard", "kept");
    await using active = await activatePlugins({ plugins: [{ manifest }], relay: world.relay });
    const before = world.relay.listRuntimeRegistrations();
    world.write("guard/main.ts", "process.exit(3)");
    await expect(active.reload()).rejects.toMatchObject({
      code: "required_failed",
      cause: { code: "worker_exited" },
    });
    world.write("guard/troupe-plugin.toml", "nonsense");
    await expect(active.reload()).rejects.toMatchObject({ code: "manifest_malformed" });
    expect(world.relay.listRuntimeRegistrations()).toEqual(before);
    expect(await world.reason()).toBe("kept");
  });

  test("when a registration can't be made: the old ones are there again, in the same turn", async () => {
    const relay = createRelay();
    await using active = await activatePlugins({ plugins: [rail("one", "one")], relay });
    relay.registerToolConditionalExecutionGuardrail("two/no-rm", () => null);
    await expect(active.reload({ plugins: [rail("new", "new"), rail("two", "two")] })).rejects.toMatchObject({
      code: "in_relay",
    });
    const names = relay.listRuntimeRegistrations().map(({ name }) => name);
    expect(names.sort()).toEqual(["one/no-rm", "two/no-rm"]);
    await expect(relay.toolCallExecute("rm", {}, () => ({ result: null }))).rejects.toMatchObject({
      metadata: { reason: "one" },
    });
    // Nor what the same ones are, anew.
    await active.reload();
    expect(active.status.map(({ id }) => id)).toEqual(["one"]);
  });
});

describe("an optional plugin that can't be started", () => {
  const startup = { keys: 'startup = "optional"' };

  /** A set that runs, and what it warned of. */
  async function running(world: PluginWorld, plugins: readonly PluginSource[]) {
    const warned: unknown[] = [];
    const warn = (message: string, fields?: object): void => void warned.push([message, fields]);
    const log: Logger = { debug() {}, info() {}, warn, error: warn, child: () => log };
    const set = pluginSet({ relay: world.relay, plugins });
    await set.start({ ...nodeEnv(), log });
    return { set, warned, [Symbol.asyncDispose]: () => set.stop() };
  }

  test("goes on where it runs: the guardrail refuses as before, the others are replaced, and the cause is told", async () => {
    using world = new PluginWorld();
    const manifest = world.worker("guard", "kept", startup);
    await using started = await running(world, [{ manifest }, rail("other", "other")]);
    const { set, warned } = started;
    world.write("guard/main.ts", "process.exit(3)");
    const why = { group: "plugin", code: "not_replaced", cause: { code: "worker_exited" } };
    // Twice: the second time it was kept already.
    for (const other of ["third", "fourth"]) {
      await set.reload({ plugins: [{ manifest }, rail(other, other)] });
      expect(await world.reason()).toBe("kept");
      expect(set.status).toMatchObject([
        { id: "guard", state: "active", error: why },
        { id: other, state: "active" },
      ]);
    }
    expect(set.view()).toMatchObject([
      { id: "guard", state: "running", error: { code: "plugin.not_replaced" } },
      { id: "fourth", error: null },
    ]);
    const told = ["a plugin wasn't replaced", { plugin: "guard", error: why }];
    expect(warned).toMatchObject([told, told]);
    const names = world.relay.listRuntimeRegistrations().map(({ name }) => name);
    expect(names.sort()).toEqual(["fourth/no-rm", "guard/no-rm"]);
    world.worker("guard", "mended", startup);
    await set.reload();
    expect(await world.reason()).toBe("mended");
    expect(set.status).toMatchObject([{ id: "guard", error: undefined }, { id: "fourth" }]);
    await set.reload({ plugins: [] });
    expect(world.relay.listRuntimeRegistrations()).toEqual([]);
  });

  test("goes on also where another one's failure undoes the reload, and ends with the rest", async () => {
    using world = new PluginWorld();
    const manifest = world.worker("guard", "kept", startup);
    await using started = await running(world, [{ manifest }]);
    const { set, warned } = started;
    world.write("guard/main.ts", "process.exit(3)");
    const required = { manifest: world.manifest("none", { kind: "worker", load: nodeLoad("none.ts") }) };
    await expect(set.reload({ plugins: [{ manifest }, required] })).rejects.toMatchObject({
      code: "required_failed",
    });
    const relay = world.relay.registerToolConditionalExecutionGuardrail("taken/no-rm", () => null);
    await expect(set.reload({ plugins: [{ manifest }, rail("taken", "taken")] })).rejects.toMatchObject({
      code: "in_relay",
    });
    relay.deregister();
    expect(await world.reason()).toBe("kept");
    expect([set.status, warned]).toMatchObject([[{ state: "active", error: undefined }], []]);
    await set.stop();
    expect(world.relay.listRuntimeRegistrations()).toEqual([]);
  });

  test("is left out where it is new, at the start as at a reload; who asks for its actors hears the cause", async () => {
    using world = new PluginWorld();
    const load = nodeLoad("none.ts");
    const one = { manifest: world.manifest("one", { kind: "worker", load, ...startup }) };
    const two = { manifest: world.manifest("two", { kind: "worker", load, ...startup }) };
    await using started = await running(world, [one]);
    const { set, warned } = started;
    await set.reload({ plugins: [two] });
    const told = (plugin: string) => [
      "an optional plugin was left out",
      { plugin, error: { code: "file_missing" } },
    ];
    expect(warned).toMatchObject([told("one"), told("two")]);
    expect(set.view()).toMatchObject([
      { id: "two", state: "disabled", error: { code: "plugin.file_missing" } },
    ]);
    expect(() => set.actor("two", undefined)).toThrow(
      expect.objectContaining({ code: "left_out", cause: expect.objectContaining({ code: "file_missing" }) }),
    );
    expect(set.actor("one", undefined)).toBeUndefined();
  });
});

test("a call that had begun ends with the plugin that it began with", async () => {
  const relay = createRelay();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const wait = async (): Promise<void> => {
    asked.resolve();
    await answer.promise;
  };
  const first = [rail("slow", "slow, before", wait), rail("quick", "quick, before")];
  await using active = await activatePlugins({ plugins: first, relay });
  const call = relay.toolCallExecute("rm", {}, () => ({ result: null })).catch((error) => error.metadata);
  await asked.promise;
  const reloaded = active.reload({ plugins: [rail("quick", "quick, after"), rail("slow", "slow, after")] });
  answer.resolve();
  expect(await call).toMatchObject({ by: "slow/no-rm", reason: "slow, before" });
  expect(await reloaded).toEqual({ leftBehind: [] });
});

test("a call that had passed a plugin when others took their place is judged by the new ones from then on", async () => {
  const relay = createRelay();
  const asked = Promise.withResolvers<void>();
  const passed = Promise.withResolvers<null>();
  const kind = "tool_conditional_execution_guardrail";
  const handle = (): Promise<null> => {
    asked.resolve();
    return passed.promise;
  };
  const door = { name: "door", middleware: [{ kind, name: "door", handle, priority: -1 }] } as const;
  const first: PluginSource = { id: "door", kind: "module", plugin: door };
  await using active = await activatePlugins({ plugins: [first, rail("quick", "before")], relay });
  const call = relay.toolCallExecute("rm", {}, () => ({ result: null })).catch((error) => error.metadata);
  await asked.promise;
  expect(active.status[0]?.calls).toBe(1);
  const reloaded = active.reload({ plugins: [first, rail("quick", "after")] });
  // Those that run now have heard of no call: the old ones wait for this one.
  await expect.poll(() => active.status[0]?.calls).toBe(0);
  passed.resolve(null);
  expect(await call).toMatchObject({ by: "quick/no-rm", reason: "after" });
  await reloaded;
});

/** The same, of a plugin that is as long in starting as `until`, and says when it begins. */
function starting(id: string, begins: (id: string) => void, until?: Promise<void>): PluginSource {
  const start = async (): Promise<void> => {
    begins(id);
    await until;
  };
  const kind = "tool_conditional_execution_guardrail";
  const plugin = { name: id, start, middleware: [{ kind, name: "no-rm", handle: () => id }] } as const;
  return { id, kind: "module", plugin };
}

test("what is asked for while a reload is under way waits for it: the next one, and the end", async () => {
  const relay = createRelay();
  const names = (): string[] => relay.listRuntimeRegistrations().map(({ name }) => name);
  const active = await activatePlugins({ plugins: [rail("a", "a")], relay });
  const begun: string[] = [];
  const begins = (id: string): void => void begun.push(id);
  const [one, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = active.reload({ plugins: [starting("slow", begins, one.promise)] });
  const second = active.reload({ plugins: [starting("next", begins)] });
  await expect.poll(() => begun).toContain("slow");
  one.resolve();
  await Promise.all([first, second]);
  expect([begun, names()]).toEqual([["slow", "next"], ["next/no-rm"]]);
  const last = active.reload({ plugins: [starting("last", begins, other.promise)] });
  await expect.poll(() => begun).toContain("last");
  const ended = active.deactivate();
  other.resolve();
  await Promise.all([last, ended]);
  expect(names()).toEqual([]);
});

test("they end in the reverse order of their start, at the end and behind a start that failed", async () => {
  using world = new PluginWorld();
  const sdk = JSON.stringify(new URL("../../src/worker.ts", import.meta.url).href);
  const log = world.write("ends", "");
  const saying = (id: string) => {
    const manifest = world.manifest(id, { kind: "worker", load: nodeLoad("main.ts") });
    world.write(
      `${id}/main.ts`,
      `import { appendFileSync } from "node:fs";
       import { serveWorker } from ${sdk};
       process.on("exit", () => appendFileSync(${JSON.stringify(log)}, "${id} "));
       await serveWorker({ name: "${id}", middleware: [] });`,
    );
    return { manifest };
  };
  const plugins = ["one", "two", "three"].map(saying);
  const active = await activatePlugins({ plugins, relay: world.relay });
  await active.deactivate();
  expect(readFileSync(log, "utf8")).toBe("three two one ");
  const failing = { manifest: world.manifest("failing", { kind: "worker", load: nodeLoad("none.ts") }) };
  await expect(activatePlugins({ plugins: [...plugins, failing], relay: world.relay })).rejects.toThrow();
  expect(readFileSync(log, "utf8")).toBe("three two one three two one ");
});

test("reloads are one after the other, and none comes after the end", async () => {
  const relay = createRelay();
  const active = await activatePlugins({ plugins: [rail("a", "a")], relay });
  const both = [active.reload({ plugins: [rail("a", "b")] }), active.reload({ plugins: [rail("a", "c")] })];
  const ended = active.deactivate();
  await Promise.allSettled(both);
  await ended;
  expect(relay.listRuntimeRegistrations()).toEqual([]);
  await expect(active.reload()).rejects.toMatchObject({ code: "closed" });
});

test("S1.3 (in part) a library whose process is killed is visible, its guardrail shut until it runs again, and the host serves on", async (context) => {
  const built = await cExample("guardrail");
  if (built.missing !== undefined) return context.skip(built.missing);
  if (!existsSync("/proc/self/task")) return context.skip("no /proc to find the process by");
  using world = new PluginWorld();
  world.write("rail/rail.so", readFileSync(built.path));
  const manifest = world.manifest("rail", { kind: "native", load: 'library = "rail.so"' });
  await using active = await activatePlugins({
    plugins: [{ manifest }],
    relay: world.relay,
  });
  expect(await world.reason()).toBe("rm isn't allowed here");
  process.kill(childOf(process.pid), "SIGSEGV");
  await expect.poll(() => active.status[0]?.state).toBe("restarting");
  expect(active.status[0]?.error).toMatchObject({ code: "worker_exited", metadata: { signal: "SIGSEGV" } });
  expect(await world.refusal()).toMatchObject({ code: "middleware_failed" });
  await expect.poll(() => active.status[0]?.state, { timeout: 10_000 }).toBe("active");
  expect(await world.reason()).toBe("rm isn't allowed here");
});

/** The one process that runs a plugin's library. */
function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  const found = children.find((child) =>
    readFileSync(`/proc/${child}/cmdline`, "utf8").includes("native-main"),
  );
  return Number(found);
}

test("a subscriber that is behind when its plugin ends has its time, and what it hasn't taken then is one line of the log", async () => {
  const relay = createRelay();
  const warned: string[] = [];
  const { clock, timers } = nodeEnv();
  // No time at all.
  const hurried: Timers = {
    ...timers,
    set: (task, delayMs, options) =>
      timers.set(task, delayMs === limits.pluginDrainMs ? 0 : delayMs, options),
  };
  const warn = (message: string): void => void warned.push(message);
  const quiet: Logger = { debug() {}, info() {}, warn, error: warn, child: () => quiet };
  const env = { clock, timers: hurried, log: quiet };
  const begun = Promise.withResolvers<void>();
  const handle = (): Promise<void> => {
    begun.resolve();
    return new Promise(() => {});
  };
  const plugin = { name: "stuck", middleware: [{ kind: "subscriber", name: "ear", handle }] } as const;
  await using active = await activatePlugins({
    plugins: [{ id: "stuck", kind: "module", plugin }],
    relay,
    env,
  });
  for (let n = 0; n < 5; n += 1) relay.event("something");
  await begun.promise;
  expect(await active.deactivate()).toEqual({ leftBehind: [] });
  expect(warned).toEqual([expect.stringMatching(/^5 events for the plugin's subscribers are lost: /)]);
});

test("a guardrail that says no by throwing hasn't failed: what is counted as that is what it didn't mean", async () => {
  const relay = createRelay();
  const handle = ({ toolName }: { readonly toolName: string }): never => {
    throw toolName === "mv" ? new TroupeError("relay", "guardrail_rejected", "not mv") : new Error("can't");
  };
  const kind = "tool_conditional_execution_guardrail";
  const plugin = { name: "no", middleware: [{ kind, name: "throws", handle }] } as const;
  await using active = await activatePlugins({ plugins: [{ id: "no", kind: "module", plugin }], relay });
  const call = (tool: string) => relay.toolCallExecute(tool, {}, () => ({ result: null }));
  await expect(call("mv")).rejects.toMatchObject({ code: "guardrail_rejected" });
  expect(active.status).toMatchObject([{ calls: 1, failures: 0 }]);
  await expect(call("rm")).rejects.toMatchObject({ code: "middleware_failed" });
  expect(active.status).toMatchObject([{ calls: 2, failures: 1 }]);
});
