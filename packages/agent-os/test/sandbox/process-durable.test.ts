/** A workspace of real processes: what is there after an orderly end, and after a kill of the runtime. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentOS, type LimitWarning, ProcessDriver } from "@troupe/agent-os";
import { createClient } from "@troupe/client";
import { setup } from "@troupe/runtime";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { missing } from "../support/bubblewrap.ts";

const MIB = 1024 * 1024;
const bubblewrap = process.env.TROUPE_TEST_BWRAP ?? "";

const runtime = (dataDir: string) => `
import { agentOS, ProcessDriver } from "@troupe/agent-os";
import { setup } from "@troupe/runtime";
const sandbox = new ProcessDriver({ bubblewrap: ${JSON.stringify(bubblewrap)} });
const registry = setup({ use: { workspace: agentOS({ sandbox }) } });
const { endpoint } = await registry.start({ port: 0, dataDir: ${JSON.stringify(dataDir)}, signals: false, banner: false });
console.log(endpoint);
`;

function folder(context: TestContext): string {
  if (missing !== undefined) context.skip(missing);
  const made = mkdtempSync(join(tmpdir(), "troupe-process-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function workspaces(fileBytes = 8 * MIB) {
  return setup({ use: { workspace: agentOS({ sandbox: new ProcessDriver({ bubblewrap, fileBytes }) }) } });
}

test("kill -9 of the runtime ends every process of a sandbox; what callers were told is there afterwards", async (context) => {
  const dataDir = folder(context);
  const args = ["--conditions=troupe-source", "--input-type=module", "--eval", runtime(dataDir)];
  const child = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const registry = workspaces();
  const client = createClient<typeof registry>(String(line).trim());
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.exec("echo told > told; mkdir -p d; ln -s ../told d/link; chmod 640 told");
  await handle.spawn("sleep", ["1000"]);
  const { stdout } = await handle.exec("readlink /proc/self/ns/pid");
  const inside = () => namespaceMembers(stdout.trim());
  expect(await inside()).toBeGreaterThan(0);
  child.kill("SIGKILL");
  await expect.poll(inside).toBe(0);
  await client.dispose();
  const options = { port: 0, dataDir, signals: false, banner: false };
  const { endpoint } = await registry.start(options);
  await using again = createClient<typeof registry>(endpoint);
  const woken = again.workspace.getOrCreate(["a"]);
  expect((await woken.exec("cat d/link; stat -c %a told")).stdout).toBe("told\n640\n");
  await registry.stop();
});

/** How many processes of this machine are in a namespace. */
async function namespaceMembers(name: string): Promise<number> {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`) === name;
    } catch {
      return false;
    }
  }).length;
}

test("who comes near to the end of a sandbox's files is warned", async (context) => {
  const dataDir = folder(context);
  const registry = workspaces();
  const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
  onTestFinished(() => registry.stop());
  await using client = createClient<typeof registry>(endpoint);
  const conn = client.workspace.getOrCreate(["a"]).connect();
  const warned: LimitWarning[] = [];
  conn.on("limitWarning", (warning) => void warned.push(warning));
  await conn.exec("head -c 7M /dev/zero > large");
  await expect.poll(() => warned).toMatchObject([{ limit: "fileBytes", most: 8 * MIB }]);
});
