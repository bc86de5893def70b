/** A plugin in WebAssembly that goes wrong: its callers have an error with a name, the host serves on, and it comes again. */
import { readFileSync, writeFileSync } from "node:fs";
import { setup, setupTest } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import { beforeAll, expect, onTestFinished, type TestContext, test, vi } from "vitest";
import { activatePlugins } from "../../src/activation/activate-plugins.ts";
import { wasmCarrier } from "../../src/carriers/wasm/wasm-carrier.ts";
import { pluginActor } from "../../src/plugin-actor.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { assemble } from "../support/assemble.ts";
import { type Built, wasmExample, wasmPlugin } from "../support/built.ts";
import { sha256 } from "../support/plugin-folder.ts";
import { PluginWorld } from "../support/plugin-world.ts";

const TOOL_CONDITIONAL = 12;

let faulty: Built;
let guardrail: Built;
beforeAll(async () => {
  [faulty, guardrail] = await Promise.all([wasmPlugin("faulty"), wasmExample("guardrail")]);
}, 60_000);

function pathOf(context: TestContext, built: Built): string {
  return built.missing === undefined ? built.path : context.skip(built.missing);
}

function ask(session: PluginSession, toolName: string): Promise<unknown> {
  return session.invoke({ kind: TOOL_CONDITIONAL, name: "faulty", payload: { toolName } });
}

async function openFaulty(context: TestContext, timeLimitMs = 60_000): Promise<PluginSession> {
  const open = wasmCarrier({ wasm: pathOf(context, faulty), timeLimitMs });
  return await openSession({ env: nodeEnv({ logLevel: "silent" }), open, hostVersion: "0.0.0" });
}

test.for([
  ["trap", "trapped", /unreachable/],
  ["null", "trapped", /out of bounds/],
  ["recursion", "trapped", /./],
  ["loop", "time_exceeded", /2000 ms/],
] as const)(
  "a call that ends in a %s: all that wait have the error, and a neighbour none",
  async ([tool, code, why], context) => {
    const [session, neighbour] = await Promise.all([
      openFaulty(context, code === "time_exceeded" ? 2_000 : undefined),
      openFaulty(context),
    ]);
    const [fatal, beside] = await Promise.allSettled([ask(session, tool), ask(session, "ls")]);
    expect(fatal).toMatchObject({ reason: { group: "plugin", code, message: expect.stringMatching(why) } });
    expect(beside).toMatchObject({ reason: { code } });
    expect(await session.ended).toMatchObject({ code });
    expect(await ask(neighbour, "rm")).toBe("no");
    await Promise.all([session.close(), neighbour.close()]);
  },
);

test("a loop is ended in its own time, also when a turn before it began a moment ago", async (context) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const session = await openFaulty(context, 5_000);
  expect(await ask(session, "ls")).toBe(null);
  vi.advanceTimersByTime(200);
  const looping = ask(session, "loop").catch((error: unknown) => error);
  // It has its turn when the host has sent what was said.
  await new Promise(setImmediate);
  vi.advanceTimersByTime(5_250);
  expect(await looping).toMatchObject({ group: "plugin", code: "time_exceeded" });
  vi.useRealTimers();
  await session.close();
});

test("memory is there up to what is declared, and malloc says so; time and random bytes are there", async (context) => {
  const open = wasmCarrier({ wasm: pathOf(context, faulty), timeLimitMs: 60_000 });
  const session = await openSession({ env: nodeEnv({ logLevel: "silent" }), open, hostVersion: "0.0.0" });
  expect(await ask(session, "memory")).toBe("as much as it declares");
  expect(await ask(session, "clock")).toBe("both");
  await session.close();
});

test("a payload of 20 MiB comes through, and again: its room was given back", async (context) => {
  const open = wasmCarrier({ wasm: pathOf(context, guardrail), timeLimitMs: 60_000 });
  const session = await openSession({ env: nodeEnv({ logLevel: "silent" }), open, hostVersion: "0.0.0" });
  const payload = { args: "x".repeat(20 * 1024 * 1024), toolName: "rm" };
  for (let times = 0; times < 2; times += 1)
    expect(await session.invoke({ kind: TOOL_CONDITIONAL, name: "no-rm", payload })).toMatch("rm");
  await session.close();
});

test("an actor whose action traps: nothing that it wrote is stored, and the next call has a new thread", async (context) => {
  const wasm = pathOf(context, faulty);
  const { client } = await setupTest(context, setup({ use: { faulty: pluginActor({ wasm }) } }));
  const actor = client.faulty.getOrCreate(["a"]);
  expect(await actor.action({ name: "count", args: [] })).toBe(1);
  await expect(actor.action({ name: "trap", args: [] })).rejects.toMatchObject({
    group: "plugin",
    code: "trapped",
  });
  expect(await actor.action({ name: "count", args: [] })).toBe(2);
});

test("by its manifest it is a guardrail in a thread, of the bytes that were compared, and needs no trust", async (context) => {
  using world = new PluginWorld();
  const bytes = readFileSync(pathOf(context, guardrail));
  const code = world.write("guardrail/main.wasm", bytes);
  const parts = { kind: "wasm", load: 'wasm = "main.wasm"', integrity: `sha256 = "${sha256(bytes)}"` };
  const manifest = world.manifest("guardrail", parts);
  const plugins = [{ manifest, config: { any: 1 } }];
  await using active = await activatePlugins({ plugins, relay: world.relay });
  expect(active.status).toMatchObject([
    {
      id: "guardrail",
      kind: "wasm",
      runsIn: "a thread",
      state: "active",
      registrations: ["guardrail/no-rm"],
    },
  ]);
  expect(await world.reason()).toBe("rm isn't allowed here");
  writeFileSync(code, Buffer.concat([bytes, Buffer.from([0, 2, 1, 0x78])]));
  await expect(active.reload()).rejects.toMatchObject({
    code: "required_failed",
    cause: { code: "integrity_mismatch" },
  });
  expect(await world.reason()).toBe("rm isn't allowed here");
});

test("by its manifest one that imports WASI is refused by that name", async () => {
  using world = new PluginWorld();
  world.write("wasi/main.wasm", assemble({ imports: [["wasi_snapshot_preview1", "fd_write", [0, 4]]] }));
  const manifest = world.manifest("wasi", { kind: "wasm", load: 'wasm = "main.wasm"' });
  await expect(activatePlugins({ plugins: [{ manifest }], relay: world.relay })).rejects.toMatchObject({
    code: "required_failed",
    cause: { code: "import_refused", metadata: { import: "wasi_snapshot_preview1.fd_write" } },
  });
});

test("a guardrail that traps stays shut, and is started again", async (context) => {
  using world = new PluginWorld();
  world.write("faulty/main.wasm", readFileSync(pathOf(context, faulty)));
  const keys = 'startup = "optional"';
  const manifest = world.manifest("faulty", { kind: "wasm", load: 'wasm = "main.wasm"', keys });
  writeFileSync(
    manifest,
    readFileSync(manifest, "utf8").replace('["middleware"]', '["actors", "middleware"]'),
  );
  await using active = await activatePlugins({ plugins: [{ manifest }], relay: world.relay });
  const call = (tool: string) => world.relay.toolCallExecute(tool, {}, () => ({ result: "done" }));
  await expect(call("trap")).rejects.toThrow();
  await expect.poll(() => active.status[0]?.state, { timeout: 15_000 }).toBe("restarting");
  await expect(call("ls")).rejects.toThrow();
  expect(active.status[0]?.error).toMatchObject({ code: "trapped" });
  await expect.poll(() => active.status[0]?.state, { timeout: 15_000 }).toBe("active");
  expect(await call("ls")).toMatchObject({ result: "done" });
});

test("`pluginActor` takes one of both, and only what is there", () => {
  expect(() => pluginActor({ wasm: "" })).toThrow("`wasm` must be a path");
  // @ts-expect-error One of both.
  expect(() => pluginActor({ wasm: "./a.wasm", library: "./a.so" })).toThrow("can't stand together");
  // @ts-expect-error One of both.
  expect(() => pluginActor({})).toThrow("`library` must be a path");
});
