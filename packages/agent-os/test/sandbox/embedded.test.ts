/** The embedded sandbox: a shell and files in workers, which are processes. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { agentOS, type Sandbox, type SandboxUse } from "@troupe/agent-os";
import { createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { setup } from "@troupe/runtime";
import { expect, onTestFinished, test, vi } from "vitest";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";
import { LINE_FD } from "../../src/sandbox/embedded/guard-messages.ts";
import { failure, rejection } from "../support/errors.ts";
import { alive, startedWorkers } from "../support/workers.ts";

async function boot(driver = new EmbeddedDriver()): Promise<Sandbox> {
  const sandbox = await driver.boot({ signal: new AbortController().signal });
  onTestFinished(() => sandbox.shutdown());
  return sandbox;
}

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

test("its workers give way to the runtime, with all of their threads", async (context) => {
  if (process.platform !== "linux") return context.skip("a thread has a priority of its own on Linux alone");
  const workers = startedWorkers();
  await (await boot()).exec("true");
  for (const { pid } of workers) {
    const niceness = readdirSync(`/proc/${pid}/task`).map((task) => getPriority(Number(task)));
    expect(new Set(niceness)).toEqual(new Set([Math.max(getPriority(), 10)]));
  }
  expect(workers).toHaveLength(1);
});

test("what computes for long takes only the time that nobody else wants, and its worker serves nobody else", async (context) => {
  const canIdle = process.platform === "linux" && spawnSync("chrt", ["--version"]).status === 0;
  if (!canIdle) return context.skip("it takes Linux and chrt");
  const hostPath = mkdtempSync(join(tmpdir(), "troupe-sandbox-"));
  onTestFinished(() => rmSync(hostPath, { recursive: true, force: true }));
  const workers = startedWorkers();
  const signal = new AbortController().signal;
  const mounts = [{ path: "/host", hostPath, mode: "read-only" }] as const;
  const sandbox = await new EmbeddedDriver().boot({ signal, mounts });
  onTestFinished(() => sandbox.shutdown());
  const loop = sandbox.exec("until [ -e /host/stop ]; do :; done; echo stopped > told; cat told");
  // One that has only opened the sandbox may be idle; one of them loops.
  const policies = () => alive(workers).map(({ pid }) => schedulingOf(pid));
  const idle = 5;
  await vi.waitFor(() => expect(policies()).toEqual([new Set([idle])]), 20_000);
  writeFileSync(join(hostPath, "stop"), "");
  expect((await loop).stdout).toBe("stopped\n");
  expect((await sandbox.exec("cat told")).stdout).toBe("stopped\n");
  // Its end is a signal to a process: the pool doesn't wait for it.
  await vi.waitFor(() => expect([workers.length, alive(workers).length]).toEqual([2, 1]), 20_000);
}, 60_000);

/** The kernel's numbers of how each thread of a process is scheduled. */
function schedulingOf(pid: number | undefined): Set<number> {
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8");
    // The 41st field; the second one, the name, may have spaces.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38]);
  });
  return new Set(tasks);
}

test("a file that isn't there is an error with the system's name", async () => {
  const sandbox = await boot();
  const error = await failure(sandbox.readFile("/nowhere"));
  expect([error.group, error.code, error.metadata]).toEqual(["sandbox", "file_failed", { code: "ENOENT" }]);
  expect(await rejection(sandbox.mkdir("/a/b/c"))).toBe("sandbox.file_failed");
});

test("a deadline ends an endless loop; its changes are gone, all others are there, in a new worker", async () => {
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

test("a loop in a sandbox doesn't hold up the runtime, nor another sandbox", async () => {
  const driver = new EmbeddedDriver();
  const [looping, other] = [await boot(driver), await boot(driver)];
  const abort = new AbortController();
  const loop = rejection(looping.exec("while true; do :; done", {}, abort.signal));
  for (let n = 0; n < 20; n += 1) expect((await other.exec(`echo ${n}`)).stdout).toBe(`${n}\n`);
  abort.abort();
  expect(await loop).toBe("sandbox.cancelled");
});

test("200 sandboxes at once, on a few workers: each has its own files, and all get their turn", async () => {
  const driver = new EmbeddedDriver();
  const all = await Promise.all(Array.from({ length: 200 }, () => boot(driver)));
  await Promise.all(all.map((sandbox, n) => sandbox.writeFile("/home/user/n", bytes(String(n)))));
  const read = all.map(async (sandbox) => (await sandbox.exec("cat n; ls | wc -l")).stdout.trim());
  expect(await Promise.all(read)).toEqual(all.map((_, n) => `${n}1`));
});

test("a sandbox that sleeps on all workers it gets stops no other: nor its commands, files, processes and shells", async () => {
  const driver = new EmbeddedDriver();
  const [sleeping, other] = [await boot(driver), await boot(driver)];
  await sleeping.writeFile("/home/user/a", bytes("kept"));
  const sleep = { command: "sleep", args: ["3600"] };
  const terminal = { cols: 80, rows: 24 };
  for (let n = 0; n < 2 * limits.sandboxProcessWorkers; n += 1) {
    await sleeping.spawn(sleep, () => undefined);
    await sleeping.spawn({ ...sleep, terminal }, () => undefined);
  }
  const abort = new AbortController();
  const long = [sleeping, ...(await Promise.all([boot(driver), boot(driver), boot(driver)]))];
  const execs = long.map((sandbox) => rejection(sandbox.exec("sleep 3600", {}, abort.signal)));
  const started = async (command: string, options: object) => {
    const process = await other.spawn({ command, args: [], ...options }, () => undefined);
    return (await process.ended).exitCode;
  };
  expect(await other.exists("/home/user")).toBe(true);
  expect(await started("true", {})).toBe(0);
  expect(await started("true", { terminal })).toBe(0);
  expect((await other.exec("echo fine")).stdout).toBe("fine\n");
  abort.abort();
  expect(await Promise.all(execs)).toEqual(long.map(() => "sandbox.cancelled"));
  expect(text(await sleeping.readFile("/home/user/a"))).toBe("kept");
}, 60_000);

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
  const above = "/home/home/user".length;
  expect(told.filter(({ limit }) => limit === "fileBytes")).toEqual([
    { limit: "fileBytes", used: used + above + "/home/user/large".length, most },
    { limit: "fileBytes", used: above, most },
  ]);
});

test("too many operations at once: the last is refused, and may come again", async () => {
  const driver = new EmbeddedDriver();
  const running = await Promise.all(Array.from({ length: limits.sandboxWorkers }, () => boot(driver)));
  const abort = new AbortController();
  // An empty sandbox waits for no worker to be there, and with one operation at a time: it takes many to fill the queue.
  const waiting = await boot(driver);
  const crowd = await Promise.all(Array.from({ length: limits.sandboxQueue }, () => boot(driver)));
  const loops = running.map((sandbox) => rejection(sandbox.exec("while true; do :; done", {}, abort.signal)));
  const queued = crowd.map((sandbox) => sandbox.exec("true", {}, abort.signal));
  const refused = await failure(waiting.exec("true"));
  expect([refused.code, refused.retryable]).toEqual(["busy", true]);
  abort.abort();
  await Promise.all(loops);
  await Promise.allSettled(queued);
  expect((await waiting.exec("echo fine")).stdout).toBe("fine\n");
});

test("a command that takes all memory ends its worker, and nothing else", async () => {
  const sandbox = await boot();
  await sandbox.writeFile("/home/user/a", bytes("kept"));
  const greedy = `awk 'BEGIN { for (i = 0; i < 90000; i++) a[i] = sprintf("%10000d", i) }'`;
  expect(await rejection(sandbox.exec(greedy))).toBe("process.limit_exceeded");
  expect(text(await sandbox.readFile("/home/user/a"))).toBe("kept");
}, 120_000);

test("a worker that ends in the middle of a command: that fails, with what it said last, and the next one has all files", async () => {
  const workers = startedWorkers();
  const sandbox = await boot();
  await sandbox.writeFile("/home/user/a", bytes("kept"));
  const loop = failure(sandbox.exec("touch lost; while true; do :; done"));
  const idle = await sandbox.spawn({ command: "sleep", args: ["1000"] }, () => undefined);
  await vi.waitFor(() => expect(workers).toHaveLength(2));
  for (const worker of workers) worker.kill("SIGTERM");
  const lost = await loop;
  expect([lost.group, lost.code, lost.retryable, lost.metadata]).toEqual([
    "sandbox",
    "lost",
    true,
    { why: "SIGTERM" },
  ]);
  expect(await idle.ended).toMatchObject({ exitCode: 137, error: { group: "sandbox", code: "lost" } });
  expect((await sandbox.exec("cat a; ls")).stdout).toBe("kepta\n");
  // One that ends while nobody uses it is missed by nobody.
  const idling = alive(workers);
  for (const worker of idling) worker.kill("SIGKILL");
  await Promise.all(idling.map((worker) => once(worker, "close")));
  expect((await sandbox.exec("cat a")).stdout).toBe("kept");
});

test("a worker that breaks: whoever waits for it is told what it said last, and the next command works", async () => {
  const workers = startedWorkers();
  const sandbox = await boot();
  const waits = await sandbox.spawn({ command: "sleep", args: ["1000"] }, () => undefined);
  await vi.waitFor(() => expect(workers).toHaveLength(2));
  // A message of one byte, which is none.
  const junk = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 9]);
  for (const worker of workers) (worker.stdio[LINE_FD] as Socket).write(junk);
  const { error } = (await waits.ended) as { error: { code: string; metadata: { why: string } } };
  expect([error.code, error.metadata.why]).toEqual(["lost", expect.stringMatching(/^SIGKILL: Error: .*/s)]);
  expect((await sandbox.exec("echo fine")).stdout).toBe("fine\n");
});

test("a server that is killed leaves no worker, although a shell loops in it", async () => {
  const program = fileURLToPath(new URL("../support/looping-sandbox.ts", import.meta.url));
  const server = spawn(process.execPath, ["--conditions=troupe-source", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void server.kill("SIGKILL"));
  const [said] = await once(server.stdout, "data");
  const worker = Number(said);
  expect(() => process.kill(worker, 0)).not.toThrow();
  server.kill("SIGKILL");
  await vi.waitFor(() => expect(() => process.kill(worker, 0)).toThrow("ESRCH"), 10_000);
}, 30_000);

test("a worker that had nothing to do for a while ends; the files are there for the next", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const workers = startedWorkers();
  const sandbox = await boot();
  await sandbox.writeFile("/home/user/a", bytes("kept"));
  vi.advanceTimersByTime(limits.sandboxWorkerIdleMs - 1);
  expect(text(await sandbox.readFile("/home/user/a"))).toBe("kept");
  expect(workers).toHaveLength(1);
  const ended = workers.map((worker) => once(worker, "exit"));
  vi.advanceTimersByTime(limits.sandboxWorkerIdleMs);
  await Promise.all(ended);
  expect(text(await sandbox.readFile("/home/user/a"))).toBe("kept");
  expect(workers).toHaveLength(2);
});

test("the last sandbox takes the workers with it, also those that another one used; then a new one starts one", async () => {
  const workers = startedWorkers();
  const driver = new EmbeddedDriver();
  const [first, second] = [await boot(driver), await boot(driver)];
  await Promise.all([first.exec("true"), second.exec("true")]);
  expect(alive(workers)).toHaveLength(2);
  await first.shutdown();
  await first.shutdown();
  expect(alive(workers)).toHaveLength(2);
  await second.shutdown();
  expect(alive(workers)).toHaveLength(0);
  const third = await boot(driver);
  expect((await third.exec("echo again")).stdout).toBe("again\n");
});

test("a boot that fails leaves no worker behind", async () => {
  const workers = startedWorkers();
  const boot = new EmbeddedDriver().boot({ signal: AbortSignal.abort(new Error("unwanted")) });
  await expect(boot).rejects.toThrow("unwanted");
  expect(alive(workers)).toHaveLength(0);
});

test("kept warm: a worker is there before the first sandbox, which takes it; one that is lost is replaced, and one stays", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const workers = startedWorkers();
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
  vi.advanceTimersByTime(limits.sandboxWorkerIdleMs);
  expect([workers.length, alive(workers.slice(1)).length]).toEqual([2, 1]);
  await cool();
  expect(alive(workers)).toHaveLength(0);
});

test("a registry that runs has a worker ready; one that has stopped leaves none", async () => {
  const workers = startedWorkers();
  const registry = setup({ use: { workspace: agentOS() } });
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-sandbox-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
  expect(workers).toHaveLength(1);
  await using client = createClient<typeof registry>(endpoint);
  await Promise.all(["a", "b"].map((key) => client.workspace.getOrCreate(key).exec("true")));
  expect(alive(workers).length).toBeGreaterThan(0);
  await registry.stop();
  expect(alive(workers)).toHaveLength(0);
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
