/** What snapshots of a workspace must do, whatever its `SandboxDriver`. Call it in a test file: it registers stories with vitest. */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { type AgentOSConfig, agentOS } from "../../packages/agent-os/src/index.ts";
import { unpackImage } from "../../packages/agent-os/src/sandbox/archive.ts";
import { Ground } from "../../packages/runtime/test/sql/ground.ts";
import type { DriverUnderTest } from "./drivers.ts";

const MIB = 1024 * 1024;
const error = (code: string) => ({ group: "sandbox", code });

/** Workspaces over files of their own, that say how much they store. */
async function workspaces(
  driver: DriverUnderTest,
  context: TestContext,
  config: Pick<AgentOSConfig, "mounts"> = {},
) {
  if (driver.missing !== undefined) context.skip(driver.missing);
  const workspace = agentOS({
    ...config,
    sandbox: driver.make(),
    actions: {
      stored: async (c) => {
        const count = "SELECT COALESCE(SUM(length(bytes)), 0) AS bytes FROM sandbox_contents";
        return (await c.db.execute<{ bytes: number }>(count))[0]?.bytes;
      },
    },
  });
  return await Ground.start({ workspace });
}

/** Registers the kit's stories for one driver. */
export function snapshotKit(driver: DriverUnderTest): void {
  const story = (title: string, tell: (context: TestContext) => Promise<void>) =>
    test(`${driver.name} snapshots: ${title}`, { timeout: 120_000 }, tell);

  story("the sandbox goes back to one, and on from it; a kill changes nothing of that", async (context) => {
    await using ground = await workspaces(driver, context);
    const handle = () => ground.client.workspace.getOrCreate(["a"]);
    const look = async () => {
      const { stdout } = await handle().exec("cat a/one link; ls; ls a; ls -d /tmp; od -An -tx1 bin");
      return [stdout, (await handle().stat("/home/user/a")).mode & 0o777];
    };
    await handle().exec("mkdir a; echo one > a/one; ln -s a/one link; chmod 750 a; rmdir /tmp");
    await handle().writeFile("/home/user/bin", Uint8Array.of(0, 255));
    const before = await look();
    const first = await handle().createSnapshot({ name: "before" });
    expect(first).toMatchObject({ name: "before", files: 2, bytes: 6 });
    await handle().exec("rm -r a; echo other > a; echo new > new; mkdir /tmp; rm link; chmod 600 bin");
    const after = await look().catch(() => "another kind");
    const second = await handle().createSnapshot();
    await ground.kill();
    expect(await handle().listSnapshots()).toEqual([first, second]);
    await handle().restoreSnapshot(first.snapshotId);
    expect(await look()).toEqual(before);
    // What is changed from there on is the sandbox's own.
    await handle().exec("echo changed > a/one; rm bin");
    await ground.restart();
    expect((await handle().exec("cat link; ls")).stdout).toBe("changed\na\nlink\n");
    await handle().restoreSnapshot(first.snapshotId);
    expect(await look()).toEqual(before);
    await handle().restoreSnapshot(second.snapshotId);
    expect(await look().catch(() => "another kind")).toEqual(after);
  });

  story("what a file holds is stored once, and goes with the last that has it", async (context) => {
    await using ground = await workspaces(driver, context);
    const handle = ground.client.workspace.getOrCreate(["a"]);
    const one = Uint8Array.from({ length: MIB }, (_, n) => n % 251);
    await handle.writeFile("/home/user/one", one);
    await handle.exec("cp one two; mkdir d; cp one d/three");
    expect(await handle.stored()).toBe(MIB);
    const { snapshotId } = await handle.createSnapshot();
    const other = await handle.createSnapshot();
    expect(other).toMatchObject({ files: 3, bytes: 3 * MIB });
    expect(await handle.stored()).toBe(MIB);
    await handle.writeFile("/home/user/one", one.toReversed());
    expect(await handle.stored()).toBe(2 * MIB);
    await handle.restoreSnapshot(snapshotId);
    expect(await handle.stored()).toBe(MIB);
    await handle.exec("rm -r one two d");
    await handle.deleteSnapshot(other.snapshotId);
    expect(await handle.stored()).toBe(MIB);
    expect(await handle.exportRootFilesystem({ snapshotId }).then((tar) => tar.byteLength)).toBeGreaterThan(
      3 * MIB,
    );
    await handle.deleteSnapshot(snapshotId);
    expect(await handle.stored()).toBe(0);
    await expect(handle.restoreSnapshot(snapshotId)).rejects.toMatchObject(error("snapshot_not_found"));
    expect((await handle.exec("ls")).stdout).toBe("");
  });

  story(
    "another workspace takes a fork of one, larger than a message; both go on by themselves",
    async (context) => {
      await using ground = await workspaces(driver, context);
      const handle = (key: string) => ground.client.workspace.getOrCreate([key]);
      const part = Buffer.from(randomBytes(MIB / 2).toString("hex"));
      await handle("from").writeFile("/home/user/d/part", part);
      await handle("from").exec(
        "touch empty; ln -s d/large link; for n in 1 2 3 4 5 6 7 8 9; do cat d/part; done > d/large",
      );
      const { snapshotId } = await handle("from").createSnapshot();
      await handle("from").exec("rm d/part; echo gone > gone");
      await handle("to").exec("echo old > old");
      const fork = (id: string) => handle("to").forkSnapshot({ from: ["from"], snapshotId: id });
      await expect(fork("a guess")).rejects.toMatchObject(error("snapshot_not_found"));
      expect((await handle("to").exec("ls")).stdout).toBe("old\n");
      await fork(snapshotId);
      await ground.kill();
      expect((await handle("to").exec("ls; ls d; wc -c < link; wc -c < empty")).stdout.split(/\s+/)).toEqual([
        "d",
        "empty",
        "link",
        "large",
        "part",
        `${9 * MIB}`,
        "0",
        "",
      ]);
      expect(Buffer.compare(await handle("to").readFile("/home/user/d/part"), part)).toBe(0);
      const same = 'test "$(tail -c 1048576 link | md5sum)" = "$(md5sum < d/part)"';
      expect((await handle("to").exec(same)).exitCode).toBe(0);
      await handle("to").exec("rm -r d");
      expect((await handle("from").exec("ls")).stdout).toBe("d\nempty\ngone\nlink\n");
      // What a fork reads is for workspaces alone.
      await expect(handle("from").readSnapshotPaths(snapshotId, "")).rejects.toMatchObject({
        code: "forbidden",
      });
      await expect(
        handle("from").readSnapshotParts(snapshotId, { digest: "", part: 0 }),
      ).rejects.toMatchObject({ code: "forbidden" });
    },
  );

  story(
    "an archive has what was removed, and is the same behind its own import, here and elsewhere",
    async (context) => {
      const hostPath = mkdtempSync(join(tmpdir(), "troupe-lower-"));
      onTestFinished(() => rmSync(hostPath, { recursive: true, force: true }));
      for (const folder of ["", "kept", "gone/below", "again", "file"])
        mkdirSync(join(hostPath, folder), { recursive: true, mode: 0o755 });
      for (const file of ["one", "kept/old", "kept/two", "gone/below/three", "again/four", "file/five"])
        writeFileSync(join(hostPath, file), file, { mode: 0o644 });
      chmodSync(join(hostPath, "kept"), 0o750);
      chmodSync(hostPath, 0o755);
      await using ground = await workspaces(driver, context, {
        mounts: [{ path: "/work", hostPath, mode: "overlay" }],
      });
      const handle = (key: string) => ground.client.workspace.getOrCreate([key]);
      const look = async (key: string) => {
        const entries = await handle(key).readdirRecursive("/work");
        const stats = await Promise.all(entries.map(async ({ path }) => await handle(key).stat(path)));
        return entries.map(({ path }, n) => [path, stats[n]?.type, stats[n]?.mode, stats[n]?.size]);
      };
      await handle("from").exec(
        "rm /work/one /work/kept/old; rm -r /work/gone /work/file; echo f > /work/file",
      );
      await handle("from").exec(
        "rm -r /work/again; mkdir /work/again; echo new > /work/again/.wh.four; : > /work/.wh.one",
      );
      await handle("from").exec("echo more >> /work/kept/two");
      const before = await look("from");
      expect(before.map(([path]) => path)).toEqual([
        "/work/.wh.one",
        "/work/again",
        "/work/again/.wh.four",
        "/work/file",
        "/work/kept",
        "/work/kept/two",
      ]);
      const tar = await handle("from").exportRootFilesystem();
      // The same of a snapshot, with the directories on the way, which nobody changed.
      const pathsOf = async (archive: Uint8Array) =>
        (await unpackImage(archive)).map(([path, entry]) => [path, "mode" in entry ? entry.mode : 0]).sort();
      const { snapshotId } = await handle("from").createSnapshot();
      const kept = await pathsOf(await handle("from").exportRootFilesystem({ snapshotId }));
      expect(kept).toEqual(await pathsOf(tar));
      expect(kept).toContainEqual(["/work/kept", 0o750]);
      await handle("to").writeFile("/work/gone/other", "other");
      for (const key of ["from", "to"]) await handle(key).importRootFilesystem(tar);
      expect(await look("to")).toEqual(before);
      await ground.restart();
      for (const key of ["from", "to"]) {
        expect(await look(key)).toEqual(before);
        // A directory again, and what was removed of it is still so.
        await handle(key).exec("rm /work/file; mkdir -p /work/file /work/gone");
        expect((await handle(key).exec("ls /work/file /work/gone")).stdout.trim()).toBe(
          "/work/file:\n\n/work/gone:",
        );
      }
    },
  );
}
