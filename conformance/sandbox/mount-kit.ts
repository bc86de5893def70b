/** What the mounts of every `SandboxDriver` must do. Call it in a test file: it registers stories with vitest. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Mount } from "../../packages/agent-os/src/index.ts";
import { boot, bytes, type DriverUnderTest, text } from "./drivers.ts";
import { Shelf, tellOfKinds } from "./file-kit.ts";

/** A directory of the host, with something in it and a secret beside it. */
function host(): string {
  const folder = mkdtempSync(join(tmpdir(), "troupe-mount-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // For any user: a sandbox may have one of its own.
  mkdirSync(join(folder, "shown/below"), { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, "secret"), "a secret of the host", { mode: 0o644 });
  writeFileSync(join(folder, "shown/one"), "one", { mode: 0o644 });
  writeFileSync(join(folder, "shown/below/two"), "two", { mode: 0o644 });
  symlinkSync("../secret", join(folder, "shown/up"));
  symlinkSync(join(folder, "secret"), join(folder, "shown/away"));
  return folder;
}

/** Registers the kit's stories for one driver. */
export function mountKit(driver: DriverUnderTest): void {
  test(`${driver.name} mounts: a directory of the host is read, not written, and nothing beside it`, async (context) => {
    const folder = open(host());
    const mounts: Mount[] = [{ path: "/data", hostPath: join(folder, "shown") }];
    const files = new Shelf();
    const sandbox = await boot(driver, context, { mounts, files });
    expect(
      (await sandbox.exec("cat /data/one /data/below/two; cat /data/up /data/away /data/../secret")).stdout,
    ).toBe("onetwo");
    expect(text(await sandbox.readFile("/data/below/two"))).toBe("two");
    for (const path of ["/data/up", "/data/away"]) await expect(sandbox.readFile(path)).rejects.toThrow();
    // It is the host's, at any time.
    writeFileSync(join(folder, "shown/three"), "three", { mode: 0o644 });
    expect((await sandbox.exec("cat /data/three")).stdout).toBe("three");
    const refused = await sandbox.exec("echo x > /data/new; echo after $?");
    expect(refused).toMatchObject({ exitCode: 0, stdout: "after 1\n" });
    expect(refused.stderr).toContain("/data/new: Read-only file system\n");
    for (const command of [
      "echo x > /data/one",
      "rm /data/one",
      "mkdir /data/new",
      "touch /data/new",
      "mv /data/one /tmp",
    ]) {
      const { exitCode, stderr } = await sandbox.exec(command);
      expect(exitCode, command).toBe(1);
      expect(stderr, command).toMatch(/: Read-only file system\n$/);
    }
    expect((await sandbox.exec("chmod 600 /data/one")).exitCode).toBe(1);
    const write = sandbox.writeFile("/data/one", bytes("x"));
    await expect(write).rejects.toMatchObject({ code: "file_failed" });
    await expect(write).rejects.toThrow("'/data/one'");
    expect(readFileSync(join(folder, "shown/one"), "utf8")).toBe("one");
    expect(readdirSync(join(folder, "shown")).sort()).toEqual(["away", "below", "one", "three", "up"]);
    expect((await sandbox.readdir("/data")).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["below", "one", "three"]),
    );
    const stored = [...(await files.load()), ...(await sandbox.snapshot())].map(([path]) => path);
    expect(stored.filter((path) => path.startsWith("/data/"))).toEqual([]);
  }, 120_000);

  test(`${driver.name} mounts: an overlay keeps what changed, and the host nothing of it; memory ends`, async (context) => {
    const folder = open(host());
    const files = new Shelf();
    const mounts: Mount[] = [
      { path: "/work", hostPath: join(folder, "shown"), mode: "overlay" },
      { path: "/scratch", mode: "memory" },
    ];
    const before = await boot(driver, context, { mounts, files });
    await before.exec(
      "echo mine > /work/one; rm -r /work/below; echo new > /work/new; echo gone > /scratch/gone",
    );
    expect((await before.exec("cat /work/one /work/new /scratch/gone; ls /work")).stdout).toBe(
      "mine\nnew\ngone\naway\nnew\none\nup\n",
    );
    await before.shutdown();
    expect(readFileSync(join(folder, "shown/one"), "utf8")).toBe("one");
    expect(readdirSync(join(folder, "shown")).sort()).toEqual(["away", "below", "one", "up"]);
    writeFileSync(join(folder, "shown/later"), "later\n", { mode: 0o644 });
    const after = await boot(driver, context, { mounts, files });
    expect((await after.exec("cat /work/one /work/later; ls /scratch; ls /work")).stdout).toBe(
      "mine\nlater\naway\nlater\nnew\none\nup\n",
    );
    // What wasn't changed isn't stored.
    expect((await files.load()).map(([path]) => path)).not.toContain("/work/up");
  }, 120_000);

  test(`${driver.name} mounts: of an overlay what has no name in UTF-8 isn't there, and all else is`, async (context) => {
    const hostPath = join(open(host()), "shown");
    writeFileSync(Buffer.concat([Buffer.from(`${hostPath}/odd`), Buffer.of(0xe9)]), "odd", { mode: 0o644 });
    symlinkSync(Buffer.of(0xe9), join(hostPath, "to-odd"));
    writeFileSync(join(hostPath, "by-right\ufffd"), "right", { mode: 0o644 });
    const mounts: Mount[] = [
      { path: "/work", hostPath, mode: "overlay" },
      { path: "/data", hostPath },
    ];
    const sandbox = await boot(driver, context, { mounts });
    expect((await sandbox.exec("cat /data/one")).stdout).toBe("one");
    expect((await sandbox.readdir("/work")).map(({ name }) => name)).toEqual([
      "away",
      "below",
      "by-right\ufffd",
      "one",
      "up",
    ]);
  }, 120_000);

  test(`${driver.name} mounts: on an overlay each kind takes the place of each, and another sandbox has it`, async (context) => {
    const hostPath = join(open(host()), "shown");
    symlinkSync("one", join(hostPath, "beside"));
    const mounts: Mount[] = [{ path: "/work", hostPath, mode: "overlay" }];
    const files = new Shelf();
    const paths = ["/work/beside", "/work/one", "/work/below"];
    await tellOfKinds(() => boot(driver, context, { mounts, files }), paths);
  }, 120_000);

  test(`${driver.name} mounts: what was removed of an overlay stays so with a directory in its place, made later`, async (context) => {
    const hostPath = join(open(host()), "shown");
    const mounts: Mount[] = [{ path: "/work", hostPath, mode: "overlay" }];
    const files = new Shelf();
    const before = await boot(driver, context, { mounts, files });
    await before.exec("rm -r /work/below");
    await before.writeFile("/work/below/new", bytes("new"));
    await before.shutdown();
    const after = await boot(driver, context, { mounts, files });
    expect((await after.exec("ls /work/below")).stdout).toBe("new\n");
    await after.exec("rm -r /work/* /work/.[a-z]*");
    await after.exec("mkdir /work/below");
    await after.shutdown();
    const last = await boot(driver, context, { mounts, files });
    expect((await last.exec("find /work/below")).stdout).toBe("/work/below\n");
  }, 120_000);

  test(`${driver.name} mounts: what the host doesn't have can't be mounted`, async (context) => {
    for (const mode of ["read-only", "overlay"] as const)
      await expect(
        boot(driver, context, { mounts: [{ path: "/data", hostPath: "/nowhere/at/all", mode }] }),
      ).rejects.toMatchObject({
        code: "mount_failed",
        metadata: { path: "/data" },
      });
  }, 120_000);
}

/** What `mkdtemp` makes is its owner's alone. */
function open(folder: string): string {
  chmodSync(folder, 0o755);
  return folder;
}
