/** Files that outlive their sandbox: over a sleep, and over a kill of the process. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type AgentOSConfig, agentOS, type FileStore, type ImageChanges } from "@troupe/agent-os";
import { expect, onTestFinished, test } from "vitest";
import { Ground } from "../../../runtime/test/sql/ground.ts";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";
import { bubblewrap, missing } from "../support/bubblewrap.ts";

const start = (config: AgentOSConfig = {}) => Ground.start({ workspace: agentOS(config) });
const handleOf = (ground: Awaited<ReturnType<typeof start>>) => ground.client.workspace.getOrCreate(["a"]);

test("what a caller was told of its files holds after an orderly end, and after a kill", async () => {
  await using ground = await start();
  const large = Uint8Array.from({ length: 3 * 1024 * 1024 }, (_, n) => n % 251);
  await handleOf(ground).writeFile("/home/user/large.bin", large);
  await handleOf(ground).exec(
    "mkdir -p a/b; echo one > a/b/one; echo two > two; ln -s a/b/one link; chmod 700 a; touch empty; rm -r /usr/bin",
  );
  const look = async () => {
    const handle = handleOf(ground);
    const { stdout } = await handle.exec("cat link two; ls; ls /usr; wc -c < empty");
    return [stdout, (await handle.stat("/home/user/a")).mode & 0o777];
  };
  const before = await look();
  await ground.restart();
  expect(await look()).toEqual(before);
  expect(await handleOf(ground).readFile("/home/user/large.bin")).toEqual(large);
  // A directory that goes takes what is in it along, and a file that becomes shorter keeps no old end.
  await handleOf(ground).exec("rm -r a; mv two three; echo short > large.bin");
  await ground.kill();
  const handle = handleOf(ground);
  expect((await handle.exec("ls; cat three large.bin; ls a/b")).stdout).toBe(
    "empty\nlarge.bin\nlink\nthree\ntwo\nshort\n",
  );
}, 60_000);

test('with `root: "memory"` files end with their sandbox', async () => {
  await using ground = await start({ root: "memory" });
  await handleOf(ground).writeFile("/home/user/a.txt", "a");
  await ground.restart();
  expect(await handleOf(ground).exists("/home/user/a.txt")).toBe(false);
  expect(() => agentOS({ root: "tape" as "memory" })).toThrow('"root" must be');
}, 60_000);

/** Loads nothing, and saves what it is told to. */
class Shelf implements FileStore {
  full = false;
  readonly saved: string[] = [];

  async load(): Promise<ImageChanges> {
    return [["/home/user/old", { type: "directory", mode: 0o755, modifiedAt: 0 }]];
  }

  async save(changes: ImageChanges): Promise<void> {
    if (this.full) throw new Error("no room");
    this.saved.push(...changes.map(([path]) => path));
  }
}

test("what can't be saved hasn't happened, and its caller is told", async () => {
  const files = new Shelf();
  const sandbox = await new EmbeddedDriver().boot({ signal: new AbortController().signal, files });
  onTestFinished(() => sandbox.shutdown());
  await sandbox.exec("touch old/a");
  expect(files.saved).toContain("/home/user/old/a");
  files.full = true;
  await expect(sandbox.exec("touch old/b; rm old/a")).rejects.toThrow("no room");
  expect((await sandbox.exec("ls old")).stdout).toBe("a\n");
  files.full = false;
  await sandbox.exec("touch old/c");
  expect((await sandbox.exec("ls old")).stdout).toBe("a\nc\n");
});

test("a disk that is full: who writes is told, the actor comes back when there is room, and all that callers were told of is there", async (context) => {
  if (missing !== undefined) context.skip(missing);
  const disk = mkdtempSync(join(tmpdir(), "troupe-full-"));
  onTestFinished(() => rmSync(disk, { recursive: true, force: true }));
  const program = fileURLToPath(new URL("../support/full-disk.ts", import.meta.url));
  const small = ["--dev-bind", "/", "/", "--size", String(40 * 1024 * 1024), "--tmpfs", disk];
  const node = [process.execPath, "--conditions=troupe-source", program, disk];
  const { stdout } = await promisify(execFile)(bubblewrap, [...small, ...node], { timeout: 100_000 });
  const { told, ...found } = JSON.parse(stdout) as { told: number };
  expect(told).toBeGreaterThan(2);
  const full = expect.stringMatching(/^storage\.(commit_failed|disk_full)$/);
  expect(found).toEqual({ code: full, meanwhile: full, alive: "alive\n", whole: told });
}, 120_000);
