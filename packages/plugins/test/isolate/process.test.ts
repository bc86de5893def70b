/** The isolate process: what it has, who it ends with, and what its end means for whom. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect, test, vi } from "vitest";
import { children, DynamicWorld, dynamic, failure, isolateProcess } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

const counter = dynamic(
  "state: { n: 0 }, actions: { add: (c) => (c.state.n += 1), hang: () => new Promise(() => {}) }",
);

test("it has no environment, and no arguments beside its program's", async () => {
  await using world = await DynamicWorld.start({ counter });
  expect(children()).toEqual([]);
  await world.act("counter", "add");
  const pid = isolateProcess();
  expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toBe("");
  expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toContain(process.cwd().concat("/."));
});

test("a crash of it: calls in flight fail with a name, and the next call goes on in a new one with what was told", async () => {
  await using world = await DynamicWorld.start({ counter });
  expect(await world.act("counter", "add")).toBe(1);
  const hanging = failure(world.act("counter", "hang"));
  const connection = world.handle("counter").connect();
  await connection.action({ name: "add", args: [] });
  const pid = isolateProcess();
  process.kill(pid, "SIGKILL");
  const failed = await hanging;
  expect(failed.is).toBe("dynamic.process_lost");
  // What the process said on its way out names files, and other tenants' faults: that is for the log.
  expect(failed.metadata).toBeUndefined();
  expect(failed.retryable).toBe(false);
  expect(await world.act("counter", "add")).toBe(3);
  expect(isolateProcess()).not.toBe(pid);
  await connection.dispose();
});

test("crash after crash: each time the next call works", async () => {
  await using world = await DynamicWorld.start({ counter });
  for (let n = 1; n <= 4; n += 1) {
    expect(await world.act("counter", "add")).toBe(n);
    process.kill(isolateProcess(), "SIGKILL");
    await vi.waitFor(() => expect(children()).toEqual([]), { timeout: 15_000 });
  }
});

test("when the runtime stops, nothing of it is left", async () => {
  const handles = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = handles();
  const world = await DynamicWorld.start({ counter, other: counter });
  await Promise.all([world.act("counter", "add"), world.act("other", "add")]);
  expect(isolateProcess()).toBeGreaterThan(0);
  await world[Symbol.asyncDispose]();
  expect(children()).toEqual([]);
  expect(handles()).toBeLessThanOrEqual(before);
});

test("it ends with its parent, however that ended", async () => {
  const program = new URL("./parent.ts", import.meta.url).pathname;
  const parent = spawn(process.execPath, ["--conditions=troupe-source", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: parent.stdout });
  await once(lines, "line");
  const pid = isolateProcess(parent.pid);
  parent.kill("SIGKILL");
  await once(parent, "exit");
  await vi.waitFor(() => expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH"), { timeout: 15_000 });
});

test("what a loop of the engine's own can't be stopped in ends its process, and the next call has a new one", async () => {
  await using own = await DynamicWorld.start({
    stuck: dynamic("actions: { act: () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }", {
      cpuTimeLimitMs: 100,
    }),
    neighbour: dynamic("state: { n: 0 }, actions: { add: (c) => (c.state.n += 1) }"),
  });
  expect(await own.act("neighbour", "add")).toBe(1);
  const pid = isolateProcess();
  expect(await failure(own.act("stuck", "act"))).toMatchObject({ is: "dynamic.process_lost" });
  expect(await own.act("neighbour", "add")).toBe(2);
  expect(isolateProcess()).not.toBe(pid);
});

test("a process that is frozen is given up: its calls fail with a name, and each actor goes on in a new one", async () => {
  await using world = await DynamicWorld.start({ counter, other: counter });
  expect(await world.act("counter", "add")).toBe(1);
  expect(await world.act("other", "add")).toBe(1);
  const frozen = isolateProcess();
  process.kill(frozen, "SIGSTOP");
  const calls = [world.act("counter", "add"), world.act("counter", "hang"), world.act("other", "hang")];
  for (const call of calls)
    expect(await failure(call)).toMatchObject({ is: "dynamic.process_lost", retryable: false });
  // Nobody knows of the first call whether it happened; it didn't.
  expect(await world.act("counter", "add")).toBe(2);
  expect(await world.act("other", "add")).toBe(2);
  await vi.waitFor(() => expect(() => process.kill(frozen, 0)).toThrow("ESRCH"), { timeout: 15_000 });
  expect(isolateProcess()).not.toBe(frozen);
});
