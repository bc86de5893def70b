/** The embedded sandbox: a shell and files in worker threads. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { agentOS, type Sandbox, type SandboxUse } from "@troupe/agent-os";
import { createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { setup } from "@troupe/runtime";
import { expect, onTestFinished, test, vi } from "vitest";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";
import { failure, rejection } from "../support/errors.ts";

async function boot(driver = new EmbeddedDriver()): Promise<Sandbox> {
  const sandbox = await driver.boot({ signal: new AbortController().signal });
  onTestFinished(() => sandbox.shutdown());
  return sandbox;
}

/** The threads that this test starts, as they come. */
function startedThreads(): Worker[] {
  const workers: Worker[] = [];
  const started = (message: unknown) => void workers.push((message as { worker: Worker }).worker);
  subscribe("worker_threads", started);
  onTestFinished(() => void unsubscribe("worker_threads", started));
  return workers;
}

/** Threads that still run: one that has ended has no id. */
const alive = (workers: readonly Worker[]) => workers.filter(({ threadId }) => threadId !== -1).length;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (content: Uint8Array) => new TextDecoder().decode(content);

test("a command has an exit code, stdout and stderr; its directory, variables and stdin are the caller's", async () => {
  const sandbox = await boot();
  expect(await sandbox.exec("echo out; echo err >&2; exit 3")).toEqual({
    exitCode: 3,
    stdout: "out\n",
    stderr: "err\n",
    truncated: false,
  });
  const options = { cwd: "/tmp", env: { NAME: "ann" }, stdin: "in" };
  expect((await sandbox.exec("pwd; echo $NAME; cat", options)).stdout).toBe("/tmp\nann\nin");
  expect(await sandbox.exec("nosuch")).toMatchObject({ exitCode: 127 });
});

test("files go both ways, with directories, links and removals", async () => {
  const sandbox = await boot();
  await sandbox.writeFile("/home/user/a/b.bin", Uint8Array.of(0, 255, 10));
  expect((await sandbox.exec("wc -c < a/b.bin")).stdout.trim()).toBe("3");
  await sandbox.exec("echo new > a/c.txt; ln -s a/c.txt link; cat link; rm a/b.bin; mkdir -p d/e");
  expect(text(await sandbox.readFile("/home/user/a/c.txt"))).toBe("new\n");
  expect(await sandbox.exists("/home/user/a/b.bin")).toBe(false);
  expect(await sandbox.readdir("/home/user")).toEqual([
    { name: "a", type: "directory" },
    { name: "d", type: "directory" },
    { name: "link", type: "symlink" },
  ]);
  expect(await sandbox.stat("/home/user/a/c.txt")).toMatchObject({ type: "file", size: 4 });
  await sandbox.move("/home/user/a", "/home/user/d/e/a");
  expect(await sandbox.exists("/home/user/a/c.txt")).toBe(false);
  await sandbox.remove("/home/user/d", { recursive: true });
  expect(await sandbox.readdir("/home/user")).toEqual([{ name: "link", type: "symlink" }]);
  await sandbox.mkdir("/home/user/d");
  expect(await sandbox.readdir("/home/user/d")).toEqual([]);
});

test("a shell that was made ahead has nothing of the one before it", async () => {
  const driver = new EmbeddedDriver();
  const before = await boot(driver);
  await before.exec(
    "echo mine > secret; echo mine > /tmp/secret; export SECRET=mine; cd /tmp; alias echo=false",
  );
  const after = await boot(driver);
  expect((await after.exec("echo $SECRET; pwd; ls -a . /tmp")).stdout).toBe(
    "\n/home/user\n.:\n.\n..\n\n/tmp:\n.\n..\n",
  );
  expect((await before.exec("cat secret")).stdout).toBe("mine\n");
});

test("JavaScript runs in an isolate: it has the sandbox's files, nothing of the host's, and ends with the deadline", async () => {
  const sandbox = await boot();
  const script = `const fs = require("fs"); fs.writeFileSync("told", fs.readFileSync("asked", "utf8") + process.argv[1]);
    console.log(Object.keys(process.env).includes("HOME"), typeof WebAssembly, process.pid === ${process.pid});`;
  await sandbox.writeFile("/home/user/asked", bytes("who: "));
  await sandbox.writeFile("/home/user/tell.js", bytes(script));
  expect(await sandbox.exec("js-exec tell.js ann")).toMatchObject({
    stdout: "true undefined false\n",
    stderr: "",
  });
  expect(text(await sandbox.readFile("/home/user/told"))).toBe("who: ann");
  await sandbox.writeFile("/home/user/types.ts", bytes("const n: number = 1; export {}; console.log(n)"));
  expect(await sandbox.exec("js-exec types.ts")).toMatchObject({ stdout: "1\n", stderr: "" });
  const ways = [
    `require("fs").readFileSync(${JSON.stringify(import.meta.filename)})`,
    'process.binding("fs")',
    'require("node:worker_threads")',
    'await import("node:net")',
    'await fetch("http://127.0.0.1/")',
    '[].constructor.constructor("return process")()',
    "(function again() { again(); })()",
    '"x".repeat(2 ** 29).repeat(2 ** 29)',
  ];
  for (const way of ways)
    expect((await sandbox.exec("js-exec -m", { stdin: `console.log(${way})` })).exitCode, way).not.toBe(0);
  const loop = sandbox.exec("js-exec -c 'while (true);'", { timeoutMs: 500 });
  expect(await rejection(loop)).toBe("sandbox.deadline_exceeded");
  expect((await sandbox.exec("js-exec -c 'console.log(2)'")).stdout).toBe("2\n");
}, 60_000);

test("its threads give way to the runtime's", async (context) => {
  if (process.platform !== "linux") return context.skip("a thread has a priority of its own on Linux alone");
  // The 19th field; the second one, the name, may have spaces.
  const niceness = (task: string) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  };
  const before = new Set(readdirSync("/proc/self/task"));
  await (await boot()).exec("true");
  const started = readdirSync("/proc/self/task").filter((task) => !before.has(task));
  expect(started.map(niceness)).toContain(Math.max(niceness(String(process.pid)), 10));
});

test("a file that isn't there is an error with the system's name", async () => {
  const sandbox = await boot();
  const error = await failure(sandbox.readFile("/nowhere"));
  expect([error.group, error.code, error.metadata]).toEqual(["sandbox", "file_failed", { code: "ENOENT" }]);
  expect(await rejection(sandbox.mkdir("/a/b/c"))).toBe("sandbox.file_failed");
});

test("a deadline ends an endless loop; its changes are gone, all others are there, on a new thread", async () => {
  const sandbox = await boot();
  await sandbox.exec(
    "mkdir -p gone/deep; echo kept > kept.txt; echo x > gone/deep/x; chmod 600 kept.txt; ln -s kept.txt link",
  );
  await sandbox.exec("rm -r gone; echo file > gone; rm /bin/ls /usr/bin/ls; echo mine > /bin/mine");
  await sandbox.exec("mkdir -p from/sub; echo y > from/sub/y; mv from /tmp/to; cp -r /tmp/to copied");
  const before = await sandbox.exec("find / -type f -o -type l | sort; stat kept.txt; cat link");
  const error = await failure(
    sandbox.exec("echo lost > lost.txt; while true; do :; done", { timeoutMs: 200 }),
  );
  expect([error.code, error.metadata]).toEqual(["deadline_exceeded", { timeoutMs: 200 }]);
  expect((await sandbox.exec("find / -type f -o -type l | sort; stat kept.txt; cat link")).stdout).toBe(
    before.stdout,
  );
  expect(text(await sandbox.readFile("/home/user/gone"))).toBe("file\n");
});

test("a loop in a sandbox doesn't hold up the runtime's thread, nor another sandbox", async () => {
  const driver = new EmbeddedDriver();
  const [looping, other] = [await boot(driver), await boot(driver)];
  const abort = new AbortController();
  const loop = rejection(looping.exec("while true; do :; done", {}, abort.signal));
  for (let n = 0; n < 20; n += 1) expect((await other.exec(`echo ${n}`)).stdout).toBe(`${n}\n`);
  abort.abort();
  expect(await loop).toBe("sandbox.cancelled");
});

test("200 sandboxes at once, on a few threads: each has its own files, and all get their turn", async () => {
  const driver = new EmbeddedDriver();
  const all = await Promise.all(Array.from({ length: 200 }, () => boot(driver)));
  await Promise.all(all.map((sandbox, n) => sandbox.writeFile("/home/user/n", bytes(String(n)))));
  const read = all.map(async (sandbox) => (await sandbox.exec("cat n; ls | wc -l")).stdout.trim());
  expect(await Promise.all(read)).toEqual(all.map((_, n) => `${n}1`));
});

test("operations of one sandbox run in the order of their calls", async () => {
  const sandbox = await boot();
  const all = Array.from({ length: 20 }, (_, n) => sandbox.exec(`echo ${n} >> log`));
  const read = sandbox.readFile("/home/user/log");
  await Promise.all(all);
  expect(text(await read)).toBe(all.map((_, n) => `${n}\n`).join(""));
});

test("past the limits: output is cut, files are refused, deadlines are checked, and the next call works", async () => {
  const sandbox = await boot();
  const long = await sandbox.exec(`printf 'é%.0s' $(seq ${limits.sandboxOutputBytes / 2 + 10})`);
  expect([long.truncated, Buffer.byteLength(long.stdout)]).toEqual([true, limits.sandboxOutputBytes]);
  const file = new Uint8Array(limits.sandboxFileBytes / 2 + 1);
  await sandbox.writeFile("/home/user/one", file);
  expect(await rejection(sandbox.writeFile("/home/user/two", file))).toBe("sandbox.file_failed");
  for (const timeoutMs of [0, -1, NaN, limits.sandboxExecMaxMs + 1])
    expect(await rejection(sandbox.exec("true", { timeoutMs }))).toBe("sandbox.invalid_timeout");
  expect((await sandbox.exec("echo fine")).stdout).toBe("fine\n");
});

test("how near its files are to their limit is told with each change", async () => {
  const told: SandboxUse[] = [];
  const signal = new AbortController().signal;
  const sandbox = await new EmbeddedDriver().boot({ signal, onUse: (use) => void told.push(use) });
  onTestFinished(() => sandbox.shutdown());
  const most = limits.sandboxFileBytes;
  // The shell's own files take a little of it.
  const used = Math.floor(most * 0.9);
  await sandbox.writeFile("/home/user/large", new Uint8Array(used));
  await sandbox.exec("rm large");
  expect(told.filter(({ limit }) => limit === "fileBytes")).toEqual([
    { limit: "fileBytes", used, most },
    { limit: "fileBytes", used: 0, most },
  ]);
});

test("too many operations at once: the last is refused, and may come again", async () => {
  const driver = new EmbeddedDriver();
  const running = await Promise.all(Array.from({ length: limits.sandboxThreads }, () => boot(driver)));
  const abort = new AbortController();
  const loops = running.map((sandbox) => rejection(sandbox.exec("while true; do :; done", {}, abort.signal)));
  // An empty sandbox waits for no thread to be there, and with one operation at a time: it takes many to fill the queue.
  const waiting = await boot(driver);
  const crowd = await Promise.all(Array.from({ length: limits.sandboxQueue }, () => boot(driver)));
  const queued = crowd.map((sandbox) => sandbox.exec("true", {}, abort.signal));
  const refused = await failure(waiting.exec("true"));
  expect([refused.code, refused.retryable]).toEqual(["busy", true]);
  abort.abort();
  await Promise.all(loops);
  await Promise.allSettled(queued);
  expect((await waiting.exec("echo fine")).stdout).toBe("fine\n");
});

test("a command that takes all memory ends its thread, and nothing else", async () => {
  const sandbox = await boot();
  await sandbox.writeFile("/home/user/a", bytes("kept"));
  const greedy = `awk 'BEGIN { for (i = 0; i < 90000; i++) a[i] = sprintf("%10000d", i) }'`;
  expect(await rejection(sandbox.exec(greedy))).toBe("process.limit_exceeded");
  expect(text(await sandbox.readFile("/home/user/a"))).toBe("kept");
}, 120_000);

test("a thread that had nothing to do for a while ends; the files are there for the next", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const workers = startedThreads();
  const sandbox = await boot();
  await sandbox.writeFile("/home/user/a", bytes("kept"));
  vi.advanceTimersByTime(limits.sandboxThreadIdleMs - 1);
  expect(text(await sandbox.readFile("/home/user/a"))).toBe("kept");
  expect(workers).toHaveLength(1);
  const ended = workers.map((worker) => once(worker, "exit"));
  vi.advanceTimersByTime(limits.sandboxThreadIdleMs);
  await Promise.all(ended);
  expect(text(await sandbox.readFile("/home/user/a"))).toBe("kept");
  expect(workers).toHaveLength(2);
});

test("the last sandbox takes the threads with it, also those that another one used; then a new one starts one", async () => {
  const workers = startedThreads();
  const driver = new EmbeddedDriver();
  const [first, second] = [await boot(driver), await boot(driver)];
  await Promise.all([first.exec("true"), second.exec("true")]);
  expect(alive(workers)).toBe(2);
  await first.shutdown();
  await first.shutdown();
  expect(alive(workers)).toBe(2);
  await second.shutdown();
  expect(alive(workers)).toBe(0);
  const third = await boot(driver);
  expect((await third.exec("echo again")).stdout).toBe("again\n");
});

test("a boot that fails leaves no thread behind", async () => {
  const workers = startedThreads();
  const boot = new EmbeddedDriver().boot({ signal: AbortSignal.abort(new Error("unwanted")) });
  await expect(boot).rejects.toThrow("unwanted");
  expect(alive(workers)).toBe(0);
});

test("kept warm: a thread is there before the first sandbox, which takes it; one that is lost is replaced, and one stays", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const workers = startedThreads();
  const driver = new EmbeddedDriver();
  const cool = driver.keepWarm();
  expect(workers).toHaveLength(1);
  const abort = new AbortController();
  const sandbox = await boot(driver);
  expect((await sandbox.exec("echo warm")).stdout).toBe("warm\n");
  expect(workers).toHaveLength(1);
  const loop = rejection(sandbox.exec("while true; do :; done", {}, abort.signal));
  await new Promise((resolve) => void setImmediate(resolve));
  abort.abort();
  expect(await loop).toBe("sandbox.cancelled");
  expect(workers).toHaveLength(2);
  expect((await sandbox.exec("echo again")).stdout).toBe("again\n");
  await sandbox.shutdown();
  vi.advanceTimersByTime(limits.sandboxThreadIdleMs);
  expect([workers.length, alive(workers.slice(1))]).toEqual([2, 1]);
  await cool();
  expect(alive(workers)).toBe(0);
});

test("a registry that runs has a thread ready; one that has stopped leaves none", async () => {
  const workers = startedThreads();
  const registry = setup({ use: { workspace: agentOS() } });
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-sandbox-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
  expect(workers.filter(({ threadName }) => threadName === "troupe-sandbox")).toHaveLength(1);
  await using client = createClient<typeof registry>(endpoint);
  await Promise.all(["a", "b"].map((key) => client.workspace.getOrCreate(key).exec("true")));
  const sandboxes = workers.filter(({ threadName }) => threadName === "troupe-sandbox");
  expect(alive(sandboxes)).toBeGreaterThan(0);
  await registry.stop();
  expect(alive(sandboxes)).toBe(0);
});

test("shut down: what runs is cancelled, what comes is refused", async () => {
  const sandbox = await boot();
  const loop = rejection(sandbox.exec("while true; do :; done"));
  const behind = rejection(sandbox.exec("true"));
  await new Promise((resolve) => void setImmediate(resolve));
  await sandbox.shutdown();
  expect([await loop, await behind]).toEqual(["sandbox.closed", "sandbox.closed"]);
  expect(await rejection(sandbox.readFile("/x"))).toBe("sandbox.closed");
});
