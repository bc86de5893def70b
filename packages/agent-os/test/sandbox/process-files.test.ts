/** Files of a sandbox of processes that would hold up whoever opens them, and a sandbox that answers nothing any more. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentOS, type ImageChanges, type Mount, type Sandbox } from "@troupe/agent-os";
import { setup, setupTest } from "@troupe/runtime";
import { expect, onTestFinished, type TestContext, test, vi } from "vitest";
import { boot as bootUnder, bytes, text } from "../../../../conformance/sandbox/drivers.ts";
import { Shelf } from "../../../../conformance/sandbox/file-kit.ts";
import { missing, processDriver, processes } from "../support/bubblewrap.ts";

const boot = (context: TestContext, files = new Shelf()) => bootUnder(processes, context, { files });
const failed = (code: string) => ({ group: "sandbox", code: "file_failed", metadata: { code } });

test("a directory that the kernel doesn't let anybody make is an error, for whoever needs it", async (context) => {
  const sandbox = await boot(context);
  await expect(sandbox.mkdir("/proc/x/y", { recursive: true })).rejects.toMatchObject(failed("ENOENT"));
  await expect(sandbox.writeFile("/proc/x/y", bytes("x"))).rejects.toMatchObject(failed("ENOENT"));
  await expect(sandbox.move("/home/user", "/proc/x/y")).rejects.toMatchObject(failed("ENOENT"));
  const entry = { type: "file", content: bytes("x"), mode: 0o644, modifiedAt: 0 } as const;
  await expect(sandbox.restore([["/proc/x/y", entry]])).rejects.toMatchObject(failed("ENOENT"));
  await sandbox.writeFile("/home/user/file", bytes("x"));
  await expect(sandbox.mkdir("/home/user/file/a/b", { recursive: true })).rejects.toMatchObject(
    failed("ENOTDIR"),
  );
  await expect(sandbox.mkdir("/home/user/file", { recursive: true })).rejects.toMatchObject(failed("EEXIST"));
  await sandbox.mkdir("/home/user/a/b", { recursive: true });
  await sandbox.mkdir("/home/user/a/b", { recursive: true });
  expect(await sandbox.readdir("/home/user/a")).toEqual([{ name: "b", type: "directory" }]);
});

test("who removes what can't be is told the system's word for it", async (context) => {
  const hostPath = mkdtempSync(join(tmpdir(), "troupe-data-"));
  onTestFinished(() => rmSync(hostPath, { recursive: true, force: true }));
  chmodSync(hostPath, 0o755);
  mkdirSync(join(hostPath, "below"));
  writeFileSync(join(hostPath, "below/file"), "x");
  const mounts: Mount[] = [
    { path: "/data", hostPath },
    { path: "/scratch", mode: "memory" },
  ];
  const sandbox = await bootUnder(processes, context, { mounts });
  for (const path of ["/data/below", "/data/below/file"])
    await expect(sandbox.remove(path, { recursive: true })).rejects.toMatchObject(failed("EROFS"));
  for (const path of ["/data", "/scratch"])
    await expect(sandbox.remove(path, { recursive: true })).rejects.toMatchObject(failed("EBUSY"));
});

test("no image removes or replaces what is the host's", async (context) => {
  const hostPath = mkdtempSync(join(tmpdir(), "troupe-data-"));
  onTestFinished(() => rmSync(hostPath, { recursive: true, force: true }));
  chmodSync(hostPath, 0o777);
  writeFileSync(join(hostPath, "file"), "x");
  const mounts: Mount[] = [{ path: "/x/data", hostPath, mode: "read-write" }];
  const sandbox = await bootUnder(processes, context, { mounts });
  const removed = { type: "removed", given: true } as const;
  const file = { type: "file", content: bytes("y"), mode: 0o644, modifiedAt: 0 } as const;
  for (const path of ["/x", "/x/data", "/x/data/file"]) await sandbox.restore([[path, removed]]);
  for (const path of ["/x", "/x/data"])
    await expect(sandbox.restore([[path, file]])).rejects.toMatchObject(failed("EISDIR"));
  expect(readFileSync(join(hostPath, "file"), "utf8")).toBe("x");
  expect((await sandbox.exec("cat /x/data/file")).stdout).toBe("x");
});

test("no image leaves a sandbox without commands: links into the machine's programs are the machine's, and a closed home is none to start in", async (context) => {
  const sandbox = await boot(context);
  const head = { type: "directory", modifiedAt: 0 } as const;
  const removed = { type: "removed", given: true } as const;
  for (const image of [
    [["/bin", { type: "symlink", target: "nowhere" }]],
    [["/bin", removed] as const, ["/bin/ls", removed] as const, ["/lib64", removed] as const],
    [["/home", { ...head, mode: 0o755 }] as const, ["/home/user", { ...head, mode: 0 }] as const],
  ] as ImageChanges[]) {
    await sandbox.restore(image);
    expect((await sandbox.exec("ls -d /tmp")).stdout).toBe("/tmp\n");
  }
  expect((await sandbox.exec("pwd; chmod 755 /home/user")).stdout).toBe("/\n");
  await sandbox.exec("rm /bin && /usr/bin/mkdir /bin && echo > /bin/other");
  expect((await sandbox.snapshot()).map(([path]) => path)).not.toContain("/bin");
});

test("pipes, devices and sockets are no files: nobody waits at one, and who is at its other end hears nothing", async (context) => {
  const sandbox = await boot(context);
  await sandbox.exec(
    "mkfifo pipe; ln -s pipe link; perl -MSocket -e 'socket(S,1,1,0);bind(S,sockaddr_un(\"socket\"))'",
  );
  for (const name of ["pipe", "link", "socket"]) {
    const path = `/home/user/${name}`;
    if (!(await sandbox.exists(path))) continue;
    await expect(sandbox.readFile(path)).rejects.toMatchObject(failed("EINVAL"));
    await expect(sandbox.writeFile(path, bytes("x"))).rejects.toMatchObject(failed("EINVAL"));
  }
  for (const path of ["/dev/zero", "/dev/null", "/proc/self/fd/1"])
    await expect(sandbox.readFile(path)).rejects.toMatchObject(failed("EINVAL"));
  await expect(sandbox.writeFile("/dev/null", bytes("x"))).rejects.toMatchObject(failed("EINVAL"));
  const waiting = await sandbox.spawn({ command: "sh", args: ["-c", "cat pipe"] }, () => undefined);
  await expect(sandbox.writeFile("/home/user/pipe", bytes("x"))).rejects.toMatchObject(failed("EINVAL"));
  waiting.kill("SIGTERM");
  expect(await waiting.ended).toEqual({ exitCode: 143, signal: "SIGTERM" });
});

test("a path that becomes a pipe while it is used holds nobody up", async (context) => {
  const sandbox = await boot(context);
  const swap = "echo x > file; mkfifo pipe; while true; do ln -f pipe it; ln -f file it; done";
  const racer = await sandbox.spawn({ command: "sh", args: ["-c", swap] }, () => undefined);
  const settled = (work: Promise<unknown>) =>
    work.then(
      () => "done",
      ({ code }) => code,
    );
  const seen = new Set<string>();
  for (let n = 0; n < 200; n += 1) {
    seen.add(await settled(sandbox.readFile("/home/user/it")));
    seen.add(await settled(sandbox.writeFile("/home/user/it", bytes("y"))));
  }
  expect([...seen].filter((how) => how !== "done" && how !== "file_failed")).toEqual([]);
  racer.kill("SIGKILL");
  await racer.ended;
});

test("a file of the kernel's that doesn't say how long it is, is read to its end, or as far as may be", async (context) => {
  const sandbox = await boot(context);
  expect(text(await sandbox.readFile("/proc/version"))).toMatch(/^Linux/);
  await sandbox.writeFile("/home/user/empty", new Uint8Array());
  expect(await sandbox.readFile("/home/user/empty")).toHaveLength(0);
  await expect(sandbox.readFile("/proc/self/pagemap")).rejects.toMatchObject(failed("EFBIG"));
  await sandbox.exec("truncate -s 63M holes");
  expect(await sandbox.readFile("/home/user/holes")).toHaveLength(63 * 1024 * 1024);
});

test("a tree has what can be read, and says of a directory that can't be why", async (context) => {
  if (missing !== undefined) context.skip(missing);
  const workspace = agentOS({ sandbox: processDriver() });
  const { client } = await setupTest(context, setup({ use: { workspace } }));
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.exec("mkdir a b; touch a/one b/two; chmod 0 a");
  const tree = await handle.readdirRecursive("/home/user");
  // What it holds is saved all the same, also where a directory can't be entered.
  expect((await handle.exec("mkdir -p c/d; echo x > c/d/file; chmod 600 c/d; chmod 0 c; ls")).stdout).toBe(
    "a\nb\nc\n",
  );
  expect(
    (await handle.exec("chmod 700 c; stat -c %a c/d; chmod 700 c/d; cat c/d/file; rm -r c")).stdout,
  ).toBe("600\nx\n");
  expect(tree.map(({ path, error = "" }) => `${path} ${error.slice(0, 27)}`)).toEqual([
    "/home/user/a sandbox.file_failed: EACCES",
    "/home/user/b ",
    "/home/user/b/two ",
  ]);
  await expect(handle.readdirRecursive("/home/user/a")).rejects.toMatchObject(failed("EACCES"));
});

/** Everything of the supervisor is stopped, as by somebody inside who wants that nothing ends; a second after it has said that this runs. */
async function stopSupervisor(sandbox: Sandbox): Promise<void> {
  const line = "sleep 1; for t in $(ls /proc/2/task); do kill -STOP $t; done; sleep 1000";
  await sandbox.spawn({ command: "sh", args: ["-c", line] }, () => undefined);
  while (!isSecondStopped()) await new Promise((resolve) => void setImmediate(resolve));
}

/** A process below this one that is stopped, and the second one of its own world. */
function isSecondStopped(): boolean {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return processes.some((pid) => {
    const status = statusOf(pid);
    return /^State:\tT/m.test(status) && /^NSpid:\t.*\t2$/m.test(status) && isBelowThis(status);
  });
}

function isBelowThis(status: string): boolean {
  const [, parent = "0"] = /^PPid:\t(\d+)$/m.exec(status) ?? [];
  return parent === String(process.pid) || (parent !== "0" && isBelowThis(statusOf(parent)));
}

/** Nothing when it has gone meanwhile. */
function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

/** Time goes by in steps until `end` settles: what it waits for may be asked, over a real pipe, at any moment. */
async function timeGoesBy(end: Promise<unknown>, stepMs: number): Promise<void> {
  let over = false;
  const ended = () => {
    over = true;
  };
  end.then(ended, ended);
  while (!over) {
    await vi.advanceTimersByTimeAsync(stepMs);
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

test("a sandbox that answers nothing is lost: a command's deadline holds all the same, and the next one begins anew", async (context) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const sandbox = await boot(context);
  await sandbox.writeFile("/home/user/kept", bytes("kept"));
  await stopSupervisor(sandbox);
  const line = sandbox.exec("echo never", { timeoutMs: 3_000 });
  line.catch(() => undefined);
  const read = sandbox.readFile("/home/user/kept");
  read.catch(() => undefined);
  await timeGoesBy(Promise.allSettled([line, read]), 5_000);
  vi.useRealTimers();
  await expect(read).rejects.toMatchObject({ group: "sandbox", code: "deadline_exceeded" });
  await expect(line).rejects.toMatchObject({ group: "sandbox", code: "deadline_exceeded" });
  expect(text(await sandbox.readFile("/home/user/kept"))).toBe("kept");
});

test("the end of an actor waits no longer than a few seconds for a sandbox that answers nothing", async (context) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const sandbox = await boot(context);
  await stopSupervisor(sandbox);
  const asked = sandbox.exists("/");
  asked.catch(() => undefined);
  sandbox.hurry?.();
  await timeGoesBy(asked, 1_000);
  vi.useRealTimers();
  await expect(asked).rejects.toMatchObject({ code: "deadline_exceeded", metadata: { timeoutMs: 5_000 } });
  await sandbox.shutdown();
});
