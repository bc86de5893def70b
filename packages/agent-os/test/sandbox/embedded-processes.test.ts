/** Processes of the embedded driver: the kit of all drivers, and what only workers have. */
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test } from "vitest";
import { deviceKit } from "../../../../conformance/sandbox/device-kit.ts";
import { escapeKit } from "../../../../conformance/sandbox/escape-kit.ts";
import { fileKit } from "../../../../conformance/sandbox/file-kit.ts";
import { processKit } from "../../../../conformance/sandbox/process-kit.ts";
import { shellKit } from "../../../../conformance/sandbox/shell-kit.ts";
import { statusKit } from "../../../../conformance/sandbox/status-kit.ts";
import { toolKit } from "../../../../conformance/sandbox/tool-kit.ts";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";

const embedded = { name: "embedded", make: () => new EmbeddedDriver() };
deviceKit(embedded);
fileKit(embedded);
shellKit(embedded);
statusKit(embedded);
toolKit(embedded);
processKit(embedded);
escapeKit(embedded);

async function boot() {
  const sandbox = await new EmbeddedDriver().boot({ signal: new AbortController().signal });
  onTestFinished(() => sandbox.shutdown());
  return sandbox;
}

const silent = () => undefined;
const loop = { command: "sh", args: ["-c", "while true; do :; done"] };

test("what one that was killed would have changed is gone; commands go on beside as many as there are workers", async () => {
  const sandbox = await boot();
  const spawn = () => sandbox.spawn({ ...loop, args: ["-c", "touch gone; while true; do :; done"] }, silent);
  const all = await Promise.all(Array.from({ length: limits.sandboxProcessWorkers }, spawn));
  // One more waits for a worker, and is ended where it waits.
  const waiting = await sandbox.spawn({ command: "touch", args: ["never"] }, silent);
  expect((await sandbox.exec("echo still")).stdout).toBe("still\n");
  waiting.kill("SIGTERM");
  expect(await waiting.ended).toEqual({ exitCode: 143, signal: "SIGTERM" });
  for (const process of all) process.kill("SIGKILL");
  expect(await Promise.all(all.map(({ ended }) => ended))).toHaveLength(limits.sandboxProcessWorkers);
  expect((await sandbox.exec("ls")).stdout).toBe("");
}, 60_000);

test("a command's steps aren't counted: its time and its memory are", async () => {
  const sandbox = await boot();
  const lines = [
    "awk 'BEGIN { for (i = 0; i < 100001; i++) s += 1; print s }'",
    "seq 1 100001 > n; awk 'END { print NR }' n",
    'f() { if [ "$1" -gt 0 ]; then f $(($1 - 1)); else echo deep; fi; }; f 300',
  ];
  const { stdout, stderr } = await sandbox.exec(lines.join("\n"));
  expect({ stdout, stderr }).toEqual({ stdout: "100001\n100001\ndeep\n", stderr: "" });
  const endless = await sandbox.exec("f() { f; }; f; echo on");
  expect(endless.stderr).toContain("maximum recursion depth");
}, 120_000);

test("stdin that waits for its process has a limit", async () => {
  const sandbox = await boot();
  const process = await sandbox.spawn({ command: "wc", args: ["-c"], streamStdin: true }, silent);
  await process.write(new Uint8Array(limits.processStdinBytes));
  await expect(process.write(new Uint8Array(1))).rejects.toMatchObject({
    code: "stdin_full",
    metadata: { limit: limits.processStdinBytes },
  });
  process.kill("SIGKILL");
});

test("what it changed can't be saved: it has failed, and says why", async () => {
  const files = { load: async () => [], save: () => Promise.reject(new Error("no room")) };
  const sandbox = await new EmbeddedDriver().boot({ signal: new AbortController().signal, files });
  onTestFinished(() => sandbox.shutdown());
  const process = await sandbox.spawn({ command: "touch", args: ["new"] }, silent);
  expect(await process.ended).toMatchObject({ exitCode: 137, error: new Error("no room") });
  expect(await sandbox.exists("/home/user/new")).toBe(false);
});
