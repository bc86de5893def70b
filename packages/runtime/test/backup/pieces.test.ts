/** What a backup has to fit together, and what ends it: alarms, files that a helper has, a full target, a log that grows. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { restoreFolder, setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { copyDatabase } from "../../src/node/sqlite/backup/copy-database.ts";
import { backupData } from "../../src/node/sqlite/backup/data-backup.ts";
import { backupLimits } from "../../src/node/sqlite/backup/limits.ts";
import { openLocalStore } from "../../src/node/sqlite/open-local-store.ts";
import { openDatabase } from "../../src/node/sqlite/sqlite.ts";
import type { ActorStore, Batch } from "../../src/ports/storage.ts";
import { SmallDisk } from "../storage/small-disk.ts";
import { temporaryDirectory, testEnv } from "../storage/test-env.ts";
import { use } from "./bank.ts";

test("an alarm that a file got behind the copy of its shard is in the shard of the backup", async () => {
  using directory = temporaryDirectory();
  const [data, to] = [join(directory.path, "data"), join(directory.path, "backup")];
  const registry = setup({ use });
  await registry.start({ port: 0, dataDir: data, signals: false, banner: false });
  const { account } = await registry.client();
  await account.getOrCreate("a").pay(1);
  await backupData({
    env: testEnv(),
    dataDir: data,
    to,
    aside: async (_id, copy) => {
      await account.get("a").remind(3_600_000);
      await copy();
    },
  });
  await registry.stop();
  const shard = openDatabase(join(to, "shard-00.db"));
  const [own] = readdirSync(join(to, "actors"));
  const file = openDatabase(join(to, "actors", String(own)));
  const inFile = file.prepare("SELECT value FROM _troupe_meta WHERE key = 'alarm'").get()?.["value"];
  expect(inFile).toBeTypeOf("number");
  expect(shard.prepare("SELECT alarm FROM actors").all()).toEqual([{ alarm: inFile }]);
  shard.close();
  file.close();
});

function commit(store: ActorStore, batch: Batch): Promise<unknown> {
  return new Promise((resolve) => store.commit({ take: () => batch, settled: resolve }));
}

test("a file that a helper has to itself is copied between two batches, and its actor goes on", async () => {
  using directory = temporaryDirectory();
  const [data, to, again] = ["data", "backup", "again"].map((name) => join(directory.path, name));
  if (data === undefined || to === undefined || again === undefined) return;
  const env = testEnv();
  const needs = { database: true, statementMs: 5_000 };
  const address = { namespace: "default", name: "guest", key: ["a"] };
  const fatal = vi.fn();
  let id = "";
  {
    const store = await openLocalStore({ env, dataDir: data, onFatal: fatal });
    const { record } = await store.directory.getOrCreate(address);
    id = record.id;
    const { generation } = await store.directory.claim(id);
    const own = await store.storage.open(record, generation, needs);
    await own.load();
    const wrote = vi.fn();
    const sql = own.sql?.(wrote);
    await sql?.execute("CREATE TABLE notes (n INTEGER)", []);
    await sql?.execute("INSERT INTO notes VALUES (1)", []);
    // A batch is open: the helper can't give the file away.
    const backup = store.backup?.(to);
    await commit(own, { rows: [{ key: "n", value: Uint8Array.of(1) }] });
    await backup;
    await sql?.execute("INSERT INTO notes VALUES (2)", []);
    await commit(own, { rows: [{ key: "n", value: Uint8Array.of(2) }] });
    expect(await sql?.execute("SELECT count(*) AS n FROM notes", [])).toMatchObject({ rows: [[2]] });
    await own.close();
    await store.close();
  }
  await restoreFolder({ env, from: to, dataDir: again });
  const store = await openLocalStore({ env, dataDir: again, onFatal: fatal });
  const record = await store.directory.get(id);
  const { generation } = await store.directory.claim(id);
  if (record === undefined) throw new Error("it isn't there");
  const own = await store.storage.open(record, generation, needs);
  expect(await own.load()).toEqual([{ key: "n", value: Uint8Array.of(1) }]);
  expect(await own.sql?.(vi.fn()).execute("SELECT count(*) AS n FROM notes", [])).toMatchObject({
    rows: [[1]],
  });
  await own.close();
  await store.close();
  expect(fatal).not.toHaveBeenCalled();
});

test("a target without room ends the backup with disk_full, and keeps nothing of it", async (context) => {
  using disk = SmallDisk.mount(1);
  if (disk === undefined) return context.skip("nothing can be mounted here");
  using directory = temporaryDirectory();
  const registry = setup({ use });
  await registry.start({ port: 0, dataDir: join(directory.path, "data"), signals: false, banner: false });
  const { account } = await registry.client();
  await Promise.all(Array.from({ length: 2_500 }, () => account.getOrCreate("a").pay(1)));
  await expect(registry.backup(join(disk.path, "backup"))).rejects.toMatchObject({
    group: "storage",
    code: "disk_full",
    message: expect.stringContaining(disk.path),
  });
  expect(readdirSync(disk.path)).toEqual([]);
  expect(await account.getOrCreate("a").pay(1)).toBe(2_501);
  await registry.stop();
});

test("while one database is copied its log may grow so far, and no further", async () => {
  using directory = temporaryDirectory();
  const from = join(directory.path, "shard-00.db");
  const writer = openDatabase(from);
  writer.exec("PRAGMA page_size = 2048; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
  writer.exec("CREATE TABLE actors (number INTEGER PRIMARY KEY, filler BLOB)");
  const add = writer.prepare("INSERT INTO actors (filler) VALUES (zeroblob(1000000))");
  for (let n = 0; n < 20; n += 1) add.run();
  const kept = backupLimits.logBytes;
  Object.assign(backupLimits, { logBytes: 3_000_000 });
  try {
    const to = join(directory.path, "copy.db");
    await expect(
      copyDatabase({ from, to, holds: "shard", step: () => void add.run() }),
    ).rejects.toMatchObject({ why: "log" });
    const other = join(directory.path, "other.db");
    let steps = 0;
    const step = (): void => {
      steps += 1;
      if (steps === 1) add.run();
    };
    const before = Number(writer.prepare("SELECT count(*) AS n FROM actors").get()?.["n"]);
    await copyDatabase({ from, to: other, holds: "shard", step });
    const copy = openDatabase(other);
    // As it was when the copy began.
    expect(copy.prepare("SELECT count(*) AS n FROM actors").get()).toEqual({ n: before });
    copy.close();
  } finally {
    Object.assign(backupLimits, { logBytes: kept });
    writer.close();
  }
});
