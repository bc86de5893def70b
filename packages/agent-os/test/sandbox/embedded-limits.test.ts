/** Attacks on what an embedded sandbox may use, and what its users are told before it is too much. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { BootOptions, LimitWarning, Sandbox, SandboxNetwork, SandboxUse } from "@troupe/agent-os";
import { EmbeddedDriver, type EmbeddedDriverOptions } from "@troupe/agent-os";
import { expect, onTestFinished, test, vi } from "vitest";
import { Shelf } from "../../../../conformance/sandbox/file-kit.ts";
import { rejection } from "../support/errors.ts";
import { Serving } from "../support/serving.ts";

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

/** How many threads of sandboxes take only the time that no other thread wants. */
function demoted(): number {
  const isDemoted = (task: string) => {
    try {
      const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
      // From the third on, behind the name: the 41st is the policy, and 5 is SCHED_IDLE.
      const policy = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38];
      return stat.includes("(troupe-sandbox)") && policy === "5";
    } catch {
      // It has ended meanwhile.
      return false;
    }
  };
  return readdirSync("/proc/self/task").filter(isDemoted).length;
}

test("a loop that has taken a second takes only what is left from then on; what comes after it isn't kept waiting so", async (context) => {
  const canDemote = process.platform === "linux" && spawnSync("chrt", ["-i", "0", "true"]).status === 0;
  if (!canDemote) context.skip("there is no chrt");
  const answers: string[] = [];
  const network: SandboxNetwork = {
    variables: {},
    fetch: async ({ url }) => {
      const answer = demoted() > 0 ? "left" : "taken";
      answers.push(answer);
      return { url, status: 200, statusText: "OK", headers: {}, body: Buffer.from(answer) };
    },
    isHttp: () => true,
    connect: () => Promise.reject(new Error("https isn't asked for")),
  };
  const { sandbox } = await boot({}, { network });
  const loop = "for i in $(seq 200); do :; done";
  await sandbox.exec(`until [ "$(curl -s http://x/)" = left ]; do ${loop}; done; touch done`);
  expect(answers.slice(-2)).toEqual(["taken", "left"]);
  expect((await sandbox.exec("ls")).stdout).toBe("done\n");
  await vi.waitFor(() => expect(demoted()).toBe(0), 10_000);
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
  expect(told.at(-1)?.used).toBe(0);
  expect((await sandbox.exec("cat a")).stdout).toBe("kept");
}, 120_000);

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
  const noSpace = { code: "file_failed", metadata: { code: "ENOSPC" } };
  await expect(sandbox.writeFile("/home/user/big", new Uint8Array(2 * MIB))).rejects.toMatchObject(noSpace);
  const image = Array.from({ length: 51 }, (_, n) => [`/t${n}`, { type: "symlink", target: "/" }] as const);
  await expect(sandbox.restore(image)).rejects.toMatchObject(full);
  expect((await sandbox.readdir("/home/user")).length).toBe(41);
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
