/** Attacks on what an embedded sandbox may use, and what its users are told before it is too much. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BootOptions, LimitWarning, Sandbox, SandboxUse } from "@troupe/agent-os";
import { EmbeddedDriver, type EmbeddedDriverOptions } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { Shelf } from "../../../../conformance/sandbox/file-kit.ts";
import { rejection } from "../support/errors.ts";
import { Serving } from "../support/serving.ts";
import { residentBytes, startedWorkers } from "../support/workers.ts";

const MIB = 1024 * 1024;

async function boot(
  options: EmbeddedDriverOptions,
  rest: Omit<BootOptions, "signal"> = {},
): Promise<{ sandbox: Sandbox; used: SandboxUse[] }> {
  const used: SandboxUse[] = [];
  const sandbox = await new EmbeddedDriver(options).boot({
    signal: new AbortController().signal,
    onUse: (use) => void used.push(use),
    ...rest,
  });
  onTestFinished(() => sandbox.shutdown());
  return { sandbox, used };
}

test("time on the processor: a loop is ended, in a shell, a process and an isolate, and it is said why; who does nothing isn't", async () => {
  const cpuSeconds = 1;
  const { sandbox, used } = await boot({ cpuSeconds });
  const exceeded = { group: "process", code: "limit_exceeded", metadata: { limit: "cpuSeconds" } };
  const idle = await sandbox.spawn({ command: "sleep", args: ["1000"] }, () => undefined);
  await expect(sandbox.exec("touch lost; while true; do :; done")).rejects.toMatchObject(exceeded);
  expect(used.some((use) => use.limit === "cpuSeconds" && use.used >= 0.8 * use.most)).toBe(true);
  // What it changed is gone, and the time of the next command is its own.
  expect((await sandbox.exec("ls; echo fine")).stdout).toBe("fine\n");
  const loop = await sandbox.spawn(
    { command: "bash", args: ["-c", "while true; do :; done"] },
    () => undefined,
  );
  expect(await loop.ended).toMatchObject({ exitCode: 137, error: exceeded });
  await expect(sandbox.exec("js-exec -c 'while (true) {}'")).rejects.toMatchObject(exceeded);
  idle.kill("SIGTERM");
  expect(await idle.ended).toEqual({ exitCode: 143, signal: "SIGTERM" });
  expect(used.findLast(({ limit }) => limit === "cpuSeconds")).toEqual({
    limit: "cpuSeconds",
    used: 0,
    most: cpuSeconds,
  });
}, 120_000);

test("memory: who takes all of the heap is ended, and it is said why; what it takes is told before", async () => {
  const memoryBytes = 64 * MIB;
  const { sandbox, used } = await boot({ memoryBytes });
  await sandbox.writeFile("/home/user/a", Buffer.from("kept"));
  const hoard = `awk 'BEGIN { for (i = 0; i < 90000; i++) a[i] = sprintf("%1000d", i) }'`;
  await expect(sandbox.exec(hoard)).rejects.toMatchObject({
    group: "process",
    code: "limit_exceeded",
    metadata: { limit: "memoryBytes" },
  });
  const told = used.filter(({ limit }) => limit === "memoryBytes");
  expect(told.some((use) => use.used >= 0.8 * memoryBytes && use.most === memoryBytes)).toBe(true);
  // While it runs what it has used only grows, so that its users are warned once, whatever is collected meanwhile.
  const hoarded = told.slice(told.findLastIndex(({ used }, n) => used === 0 && n < told.length - 1) + 1, -1);
  expect(hoarded).toEqual(hoarded.toSorted((one, other) => one.used - other.used));
  expect(told.at(-1)?.used).toBe(0);
  expect((await sandbox.exec("cat a")).stdout).toBe("kept");
}, 120_000);

test("memory: who holds two thirds of it may make garbage, and isn't ended for that", async () => {
  const { sandbox } = await boot({ memoryBytes: 96 * MIB });
  const hold = `for (i = 0; i < 6000; i++) a[i] = sprintf("%10000d", i)`;
  const churn = `p = a[0]; for (i = 0; i < 9; i++) q = q p; for (i = 0; i < 120; i++) split(q, parts, "")`;
  const outcome = await sandbox.exec(`awk 'BEGIN { ${hold}; ${churn}; print length(a[5999]) }'`);
  expect(outcome).toMatchObject({ exitCode: 0, stdout: "10000\n" });
}, 120_000);

/** What it unpacks to is 900 MiB. */
const BOMB = { maxBuffer: 8 * MIB };

/** Ways to more memory than a sandbox may have: on the heap and beside it, in the shell's process and in threads that it starts. */
const hoards: Readonly<Record<string, string>> = {
  "files that are unpacked, one behind the other":
    "printf '%9000000s' a | gzip -c > b.gz; for i in 1 2 3 4 5 6 7 8 9 10; do gunzip -c b.gz; done > out",
  "buffers of a program in JavaScript": `js-exec -c "const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))"`,
  "texts of a program in JavaScript": `js-exec -c "const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)"`,
  "a variable that doubles": 'x=x; while :; do x="$x$x"; done',
  "an archive that is small": "tar xzf bomb.tgz",
  "a file that is small": "gunzip -c bomb.gz | wc -c",
};

test("memory: whatever a command fills it with, the server lives, stays small, and the next command works", async () => {
  const memoryBytes = 128 * MIB;
  const { sandbox } = await boot({ memoryBytes });
  await sandbox.writeFile("/home/user/kept", Buffer.from("kept"));
  const folder = mkdtempSync(join(tmpdir(), "troupe-bomb-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "zeros"), "");
  truncateSync(join(folder, "zeros"), 900 * MIB);
  await sandbox.writeFile("/home/user/bomb.gz", execFileSync("gzip", ["-1c", join(folder, "zeros")], BOMB));
  await sandbox.writeFile("/home/user/bomb.tgz", execFileSync("tar", ["-czC", folder, "zeros"], BOMB));
  const workers = startedWorkers();
  const before = process.memoryUsage.rss();
  let [server, worker] = [0, 0];
  const look = setInterval(() => {
    server = Math.max(server, process.memoryUsage.rss());
    worker = Math.max(worker, ...workers.map(({ pid }) => residentBytes(pid)));
  }, 10);
  onTestFinished(() => clearInterval(look));
  for (const [name, command] of Object.entries(hoards)) {
    const outcome = await sandbox.exec(command, { timeoutMs: 100_000 }).catch((error: unknown) => error);
    // just-bash has limits of its own, and says so; what it lets pass is ended.
    if (outcome instanceof Error)
      expect(outcome, name).toMatchObject({ code: "limit_exceeded", metadata: { limit: "memoryBytes" } });
    else expect(outcome, name).not.toMatchObject({ exitCode: 0, stderr: "" });
    expect((await sandbox.exec("cat kept")).stdout, name).toBe("kept");
  }
  expect(server - before).toBeLessThan(256 * MIB);
  // A process has something without work, and takes some more between two looks of its guard.
  expect(worker).toBeLessThan(memoryBytes + 512 * MIB);
}, 300_000);

test("files: their bytes and their number have an end; what would be past it hasn't happened, and room can be made", async () => {
  const files = new Shelf();
  const { sandbox, used } = await boot({ files: 50, fileBytes: MIB }, { files });
  const crowd = (from: number, to: number) => sandbox.exec(`touch $(seq ${from} ${to})`);
  await crowd(1, 45);
  const full = { group: "sandbox", code: "file_failed", metadata: { code: "EDQUOT" } };
  await expect(crowd(46, 60)).rejects.toMatchObject(full);
  expect((await sandbox.readdir("/home/user")).length).toBe(45);
  // The directories above them are two.
  expect((await files.load()).length).toBe(used.findLast(({ limit }) => limit === "files")?.used);
  expect(used).toContainEqual({ limit: "files", used: 47, most: 50 });
  await sandbox.exec("rm *; touch fine");
  await crowd(1, 40);
  await expect(sandbox.writeFile("/home/user/big", new Uint8Array(2 * MIB))).rejects.toMatchObject(noSpace);
  const image = Array.from({ length: 51 }, (_, n) => [`/t${n}`, { type: "symlink", target: "/" }] as const);
  await expect(sandbox.restore(image)).rejects.toMatchObject(full);
  expect((await sandbox.readdir("/home/user")).length).toBe(41);
}, 60_000);

const noSpace = { group: "sandbox", code: "file_failed", metadata: { code: "ENOSPC" } };

test("files: a command that finds no room for what it prints has failed, and the script goes on", async () => {
  const { sandbox } = await boot({ fileBytes: MIB });
  const done = await sandbox.exec(
    "echo before; seq 200000 > s; echo $?; { echo a; seq 200000; } > t; echo $?; seq 200000 >> u || echo or; echo fits > fits; wc -c < s; cat fits",
  );
  expect(done).toMatchObject({
    exitCode: 0,
    stdout: "before\n1\n1\nor\n0\nfits\n",
    stderr: "seq: No space left on device\nbash: No space left on device\nseq: No space left on device\n",
  });
  await sandbox.exec("ln -s ../later dangling");
  await expect(sandbox.writeFile("/home/user/dangling", new Uint8Array(MIB))).rejects.toMatchObject(noSpace);
  expect((await sandbox.exec("readlink dangling; ls ..")).stdout).toBe("../later\nuser\n");
  // What has no end elsewhere has one here.
  expect((await sandbox.exec("wc -c < /dev/zero")).stdout).toBe(`${limits.sandboxDeviceBytes}\n`);
  // A bound that ends the script still does.
  await expect(sandbox.exec("touch $(seq 60000)")).rejects.toMatchObject({ code: "file_failed" });
}, 60_000);

test("files: of two processes that fill it at once the second is refused, and nothing that anybody was told of is lost", async () => {
  const hostPath = mkdtempSync(join(tmpdir(), "troupe-go-"));
  onTestFinished(() => rmSync(hostPath, { recursive: true, force: true }));
  const files = new Shelf();
  const mounts = [{ path: "/host", hostPath }];
  const { sandbox, used } = await boot({ fileBytes: 2 * MIB }, { files, mounts });
  const workers = startedWorkers();
  const fill = (name: string) =>
    sandbox.spawn(
      { command: "sh", args: ["-c", `until [ -e /host/go ]; do :; done; printf '%1500000s' > ${name}`] },
      () => undefined,
    );
  const both = await Promise.all(["one", "two"].map(fill));
  // Each has the files as they are now.
  await vi.waitFor(() => expect(workers).toHaveLength(2));
  writeFileSync(join(hostPath, "go"), "");
  const ends = await Promise.all(both.map(({ ended }) => ended));
  expect(ends.map(({ error }) => error).filter(Boolean)).toMatchObject([noSpace]);
  const kept = ends[0]?.error === undefined ? "one" : "two";
  const look = `cd /home/user; ls; wc -c < ${kept}`;
  expect((await sandbox.exec(look)).stdout.split(/\s+/)).toEqual([kept, "1500000", ""]);
  await sandbox.shutdown();
  const { sandbox: next } = await boot({ fileBytes: 2 * MIB }, { files, mounts });
  expect((await next.exec(look)).stdout.split(/\s+/)).toEqual([kept, "1500000", ""]);
  expect(Math.max(...used.filter(({ limit }) => limit === "fileBytes").map((use) => use.used))).toBeLessThan(
    2 * MIB,
  );
}, 60_000);

test("files: where there are more than may be, from another time, they are read and removed, and then there is room", async () => {
  const files = new Shelf();
  const { sandbox: before } = await boot({}, { files });
  for (const name of ["a", "b", "c"])
    await before.writeFile(`/home/user/${name}`, new Uint8Array(MIB).fill(97));
  await before.shutdown();
  const { sandbox } = await boot({ fileBytes: 2 * MIB }, { files });
  expect((await sandbox.exec("ls; wc -c < a")).stdout.split(/\s+/)).toEqual(["a", "b", "c", `${MIB}`, ""]);
  expect(await sandbox.readFile("/home/user/b")).toHaveLength(MIB);
  await expect(sandbox.writeFile("/home/user/d", new Uint8Array(MIB))).rejects.toMatchObject(noSpace);
  await sandbox.remove("/home/user/a");
  await sandbox.exec("rm b");
  await sandbox.writeFile("/home/user/d", new Uint8Array(MIB / 2));
  expect((await sandbox.readdir("/home/user")).map(({ name }) => name)).toEqual(["c", "d"]);
}, 60_000);

test("files: names and what links lead to count; neither is longer than a real file system takes", async () => {
  const files = new Shelf();
  const { sandbox, used } = await boot({ fileBytes: MIB }, { files });
  const many = (from: number) =>
    `mkdir -p links; x=$(printf '%4000s' | tr ' ' x); for i in $(seq ${from} ${from + 199}); do ln -s "$x" links/$i; done`;
  expect((await sandbox.exec(many(1))).stderr).toBe("");
  expect(used.findLast(({ limit }) => limit === "fileBytes")?.used).toBeGreaterThan(200 * 4_000);
  await expect(sandbox.exec(many(201))).rejects.toMatchObject(noSpace);
  expect((await sandbox.readdir("/home/user/links")).length).toBe(200);
  await sandbox.exec("rm -r links");
  const long = (length: number) => `$(printf '%${length}s' | tr ' ' x)`;
  const deep = `$(printf 'd/%.0s' $(seq 2100))`;
  for (const command of [
    `ln -s "${long(4_096)}" link`,
    `touch "${long(256)}"`,
    `mkdir "${long(256)}"`,
    `echo 1 > "${long(256)}"`,
    `echo 1 > a; cp a "${long(256)}"`,
    `echo 1 > a; mv a "${long(256)}"`,
    `mkdir -p "${deep}"`,
  ]) {
    const { exitCode, stderr } = await sandbox.exec(`${command}; code=$?; rm -f a; exit $code`);
    expect(exitCode, command).toBe(1);
    expect(stderr, command).toMatch(/ENAMETOOLONG|File name too long/);
  }
  expect(await sandbox.readdir("/home/user")).toEqual([]);
  expect((await sandbox.exec(`ln -s "${long(4_095)}" link; touch "${long(255)}"`)).exitCode).toBe(0);
}, 60_000);

test("who follows a workspace is warned of a command's time, and of what its sandbox uses", async () => {
  const sandbox = new EmbeddedDriver({ cpuSeconds: 1, files: 10 });
  await using serving = await Serving.start({ sandbox, limits: { processMs: 300 } });
  const { client } = await serving.client();
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const warned: LimitWarning[] = [];
  conn.on("limitWarning", (warning) => void warned.push(warning));
  await conn.ready;
  for (const n of [1, 2])
    expect(await rejection(conn.exec(`sleep ${n}`, { timeoutMs: 200 }))).toBe("sandbox.deadline_exceeded");
  const { pid } = await conn.spawn("sleep", ["1000"], { timeoutMs: 60_000 });
  expect(await conn.waitProcess(pid)).toBe(137);
  await conn.exec("touch $(seq 8)");
  expect(await rejection(conn.exec("while true; do :; done"))).toBe("process.limit_exceeded");
  await vi.waitFor(() => expect(warned.map(({ limit }) => limit)).toContain("cpuSeconds"), 10_000);
  const time = { limit: "execMs", used: 160, most: 200 };
  expect(warned.filter(({ limit }) => limit !== "cpuSeconds")).toEqual([
    time,
    time,
    { limit: "processMs", used: 240, most: 300, pid },
    { limit: "files", used: 10, most: 10 },
  ]);
}, 60_000);

test.each<[object, string]>([
  [{ cpuSecond: 1 }, "unknown_option"],
  [{ cpuSeconds: 0 }, "invalid_option"],
  [{ files: 1.5 }, "invalid_option"],
  [{ fileBytes: 65 * MIB }, "invalid_option"],
  [{ memoryBytes: "64" }, "invalid_option"],
])("what isn't an option of the driver is refused by name: %j", (options, code) => {
  expect(() => new EmbeddedDriver(options)).toThrow(expect.objectContaining({ group: "config", code }));
});
