/** Snapshots of sandboxes' files: the kit, on both drivers, and what no driver decides. */
import { agentOS } from "@troupe/agent-os";
import { limits } from "@troupe/protocol";
import { setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";
import { snapshotKit } from "../../../../conformance/sandbox/snapshot-kit.ts";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";
import { FileTable, migrateFiles } from "../../src/sandbox/file-table.ts";
import { processes } from "../support/bubblewrap.ts";
import { withDatabase } from "../support/database.ts";
import { failure } from "../support/errors.ts";

snapshotKit({ name: "embedded", make: () => new EmbeddedDriver() });
snapshotKit(processes);

test("there are so many snapshots; names are texts; files in memory have none", async (t) => {
  const use = { workspace: agentOS(), memory: agentOS({ root: "memory" }) };
  const { client } = await setupTest(t, setup({ use }));
  const handle = client.workspace.getOrCreate(["a"]);
  const code = async (refused: Promise<unknown>) => (await failure(refused)).code;
  const long = "x".repeat(limits.sandboxSnapshotNameLength + 1);
  expect(await code(handle.createSnapshot({ name: long }))).toBe("invalid_argument");
  expect(await code(handle.createSnapshot({ name: 1 as never }))).toBe("invalid_argument");
  expect(await code(handle.createSnapshot({ title: "x" } as never))).toBe("unknown_option");
  expect(await code(handle.forkSnapshot({ from: 1 as never, snapshotId: "" }))).toBe("invalid_argument");
  const many = Array.from({ length: limits.sandboxSnapshots }, () => handle.createSnapshot());
  const [first] = await Promise.all(many);
  expect(await code(handle.createSnapshot())).toBe("too_many_snapshots");
  await handle.deleteSnapshot(first?.snapshotId ?? "");
  await handle.createSnapshot();
  expect(await code(client.memory.getOrCreate(["a"]).createSnapshot())).toBe("not_durable");
}, 60_000);

test("files that a version without snapshots has stored are there", async (t) => {
  await withDatabase(t, async (database) => {
    for (const line of [
      "CREATE TABLE sandbox_files (path TEXT PRIMARY KEY, type TEXT, mode INTEGER, modified_at INTEGER, target TEXT)",
      "CREATE TABLE sandbox_file_parts (path TEXT, part INTEGER, content BLOB, PRIMARY KEY (path, part))",
      "INSERT INTO sandbox_files VALUES ('/a', 'directory', 493, 1, ''), ('/a/empty', 'file', 420, 2, '')",
      "INSERT INTO sandbox_files VALUES ('/a/two', 'file', 420, 3, ''), ('/link', 'symlink', 0, 0, '/a/two')",
      "INSERT INTO sandbox_file_parts VALUES ('/a/two', 0, x'0102'), ('/a/two', 1, x'03')",
    ])
      await database.execute(line);
    await migrateFiles(database);
    await migrateFiles(database);
    const files = new FileTable(database);
    const file = (...content: number[]) => ({ type: "file", content: Uint8Array.from(content), mode: 420 });
    expect(await files.load()).toMatchObject([
      ["/a", { type: "directory", mode: 493 }],
      ["/a/empty", file()],
      ["/a/two", file(1, 2, 3)],
      ["/link", { type: "symlink", target: "/a/two" }],
    ]);
    await files.save([["/a", { type: "removed", given: false }]]);
    expect(await database.execute("SELECT digest FROM sandbox_contents")).toEqual([]);
  });
});
