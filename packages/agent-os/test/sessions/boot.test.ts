/** A boot that takes its time, on the production core with virtual time: only what needs the sandbox waits for it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentOSConfig, agentOS } from "@troupe/agent-os";
import { expect, test } from "vitest";
import { Driver } from "../../../runtime/test/driver/driver.ts";
import { program } from "../support/agents.ts";
import { HeldDriver } from "../support/held-driver.ts";

const start = (config: AgentOSConfig) => Driver.start({ workspace: agentOS(config) }, { databases: true });

test("S4.1: a boot and first action of 6 s starve no connection: others open, subscribe, act and close while it runs", async () => {
  const sandbox = new HeldDriver();
  await using driver = await start({ sandbox });
  const open = (key: string) => driver.socket(`/actor/workspace/connect?key=${key}`).hello();
  const first = open("a").subscribe(0, "vmBooted").action(1, "exec", "true");
  await driver.world.idle();
  driver.world.timers.set(() => sandbox.letGo(), 6_000);
  await driver.world.pass(1_000);
  expect([first.story, sandbox.story]).toEqual([["welcome", "subscribed 0"], ["boot"]]);
  // The clock stands still: what comes now takes no time at all.
  const others = Array.from({ length: 50 }, () =>
    open("a").subscribe(1, "vmBooted").action(2, "listSessions"),
  );
  const elsewhere = open("b").action(1, "listSessions");
  const second = open("a").action(1, "exec", "again");
  await driver.world.idle();
  for (const other of others) expect(other.story).toEqual(["welcome", "subscribed 1", "reply 2 []"]);
  expect(elsewhere.story).toEqual(["welcome", "reply 1 []"]);
  for (const other of others.slice(1)) other.close();
  await driver.world.idle();
  const { actorId } = first.frames[0] as { actorId?: unknown };
  const report = () => driver.runtime.host.instance(String(actorId))?.report();
  expect(report()).toMatchObject({ connections: 3, actionsInFlight: 2 });
  await driver.world.pass(6_000);
  const booted =
    'event vmBooted [{"sessionId":"vm","event":{"type":"vm_booted","driver":"held"},"sequence":1}]';
  expect(first.story.slice(2)).toEqual([booted, expect.stringMatching(/^reply 1 .*"stdout":"true"/)]);
  expect(others[0]?.story.slice(3)).toEqual([booted]);
  expect(second.story).toEqual(["welcome", expect.stringMatching(/^reply 1 .*"stdout":"again"/)]);
  expect(sandbox.story).toEqual(["boot", "up"]);
});

test("a stop while it boots doesn't wait for it, and the next life boots anew", async () => {
  const sandbox = new HeldDriver();
  await using driver = await start({ sandbox });
  const first = driver
    .socket("/actor/workspace/connect")
    .hello()
    .subscribe(0, "vmShutdown")
    .action(1, "exec", "true");
  await driver.world.idle();
  const { actorId } = first.frames[0] as { actorId?: unknown };
  const slept = driver.runtime.host.sleep(String(actorId));
  await driver.world.pass(15_000);
  sandbox.letGo();
  await slept;
  await driver.world.idle();
  expect(sandbox.story).toEqual(["boot", "abort", "up", "shutdown"]);
  const again = driver.socket("/actor/workspace/connect").hello().action(1, "exec", "true");
  await driver.world.idle();
  sandbox.letGo();
  await driver.world.idle();
  expect(again.story.at(-1)).toMatch(/^reply 1 /);
  expect((await driver.act("workspace", "getSessionEvents", { sessionId: "vm" })).output).toEqual({
    events: [{ sessionId: "vm", event: { type: "vm_booted", driver: "held" }, sequence: 1 }],
    hasMore: false,
  });
});

test("a client that is gone during the boot: the boot goes on, once, and who comes next has its sandbox", async () => {
  const sandbox = new HeldDriver();
  await using driver = await start({ sandbox });
  const gone = driver
    .socket("/actor/workspace/connect")
    .hello()
    .subscribe(0, "vmBooted")
    .action(1, "exec", "true");
  await driver.world.idle();
  expect(sandbox.story).toEqual(["boot"]);
  gone.close();
  await driver.world.idle();
  const next = driver
    .socket("/actor/workspace/connect")
    .hello()
    .subscribe(0, "vmBooted")
    .action(1, "exec", "x");
  await driver.world.idle();
  expect(next.story).toEqual(["welcome", "subscribed 0"]);
  sandbox.letGo();
  await driver.world.idle();
  expect(sandbox.story).toEqual(["boot", "up"]);
  expect(next.story.slice(2)).toEqual([
    expect.stringMatching(/^event vmBooted .*"sequence":1/),
    expect.stringMatching(/^reply 1 .*"stdout":"x"/),
  ]);
});

test("S4.3 (in part): what the disk doesn't hold yet is told to nobody; when it does, everybody hears", async () => {
  const sandbox = new HeldDriver();
  await using driver = await start({ sandbox });
  const listener = driver.socket("/actor/workspace/connect").hello().subscribe(0, "vmBooted");
  await driver.world.idle();
  driver.syncs.hold();
  listener.action(1, "exec", "true");
  await driver.world.idle();
  sandbox.letGo();
  await driver.world.idle();
  // The boot is over and its event is written, but not yet on disk.
  expect([sandbox.story, listener.story]).toEqual([
    ["boot", "up"],
    ["welcome", "subscribed 0"],
  ]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect(listener.story.slice(2)).toEqual([
    expect.stringMatching(/^event vmBooted .*"sequence":1/),
    expect.stringMatching(/^reply 1 /),
  ]);
});

test("an actor that can't save any more shuts its sandbox down, and the next life has another", async () => {
  const sandbox = new HeldDriver();
  sandbox.hold = false;
  await using driver = await start({ sandbox, agents: { nobody: { command: "/nowhere" } } });
  await driver.act("workspace", "exec", "true");
  driver.syncs.failWrites(1);
  // It writes the session's row, which fails.
  await driver.act("workspace", "openSession");
  await driver.world.until(() => sandbox.story.includes("shutdown"));
  await driver.world.idle();
  expect((await driver.act("workspace", "exec", "true")).status).toBe(200);
  expect(sandbox.story).toEqual(["boot", "up", "shutdown", "boot", "up"]);
});

test("an agent hears of no prompt that isn't on disk", async () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-agent-"));
  const heard = join(folder, "heard");
  const agent = program(`import { appendFileSync } from "node:fs";
    process.stdin.on("data", (line) => {
      const { id, method } = JSON.parse(line);
      appendFileSync(${JSON.stringify(heard)}, method + "\\n");
      const results = { initialize: { protocolVersion: 1 }, "session/new": { sessionId: "s" } };
      const result = results[method] ?? { stopReason: "end_turn" };
      console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
    });`);
  await using driver = await start({ agents: { agent } });
  const methods = () => readFileSync(heard, "utf8").trim().split("\n");
  expect((await driver.act("workspace", "openSession")).status).toBe(200);
  driver.syncs.failWrites(1);
  const failed = await driver.act("workspace", "prompt", { content: "x" });
  expect(failed.code).toBe("storage.commit_failed");
  await driver.world.idle();
  expect((await driver.act("workspace", "prompt", { content: "x" })).output).toEqual({
    stopReason: "end_turn",
  });
  // The second life's agent: the first one's heard nothing between.
  expect(methods()).toEqual(["initialize", "session/new", "initialize", "session/new", "session/prompt"]);
  rmSync(folder, { recursive: true, force: true });
});

test("S4.2: 1,000 connections back to back that subscribe and act in one tick: every event arrives", async () => {
  const sandbox = new HeldDriver();
  sandbox.hold = false;
  await using driver = await start({ sandbox });
  await using client = driver.client({ encoding: "cbor" });
  const missed: number[] = [];
  for (let n = 0; n < 1_000; n += 1) {
    const conn = client.workspace.getOrCreate([String(n)]).connect();
    const heard: unknown[] = [];
    conn.on("vmBooted", ({ sequence }) => void heard.push(sequence));
    const { stdout } = await conn.exec(String(n));
    if (stdout !== String(n) || heard.join() !== "1") missed.push(n);
    await conn.dispose();
  }
  expect(missed).toEqual([]);
});
