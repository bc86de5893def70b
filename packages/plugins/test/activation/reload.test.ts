/** Reloading: others in the place of those that run, without a moment without guardrails. */
import { existsSync, readFileSync } from "node:fs";
import { createRelay } from "@troupe/relay/node";
import { describe, expect, test } from "vitest";
import { activatePlugins } from "../../src/activation/activate-plugins.ts";
import type { PluginSource } from "../../src/activation/plugin-source.ts";
import { cExample } from "../support/built.ts";
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
      code: "name_taken",
    });
    const names = relay.listRuntimeRegistrations().map(({ name }) => name);
    expect(names.sort()).toEqual(["one/no-rm", "two/no-rm"]);
    await expect(relay.toolCallExecute("rm", {}, () => ({ result: null }))).rejects.toMatchObject({
      metadata: { reason: "one" },
    });
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
