/** What a backup has to fit together, and what ends it: alarms, files that a helper has, a full target, a log that grows. */
import { mkdirSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { restoreFolder, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { copyDatabase } from "../../src/node/sqlite/backup/copy-database.ts";
import { backupData } from "../../src/node/sqlite/backup/data-backup.ts";
import { backupLimits } from "../../src/node/sqlite/backup/limits.ts";
import { WholeFolder } from "../../src/node/sqlite/backup/whole-folder.ts";
import { openDatabase } from "../../src/node/sqlite/sqlite.ts";
import { untrusted } from "../driver/carried.ts";
import { SmallDisk } from "../storage/small-disk.ts";
import { temporaryDirectory, testEnv } from "../storage/test-env.ts";
import { awakeAccount, use } from "./bank.ts";

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

test("a file that a helper has to itself is copied between two batches, and its actor goes on", async () => {
  using directory = temporaryDirectory();
  const data = join(directory.path, "data");
  const again = join(directory.path, "again");
  const to = join(directory.path, "backup");
  const guests = untrusted({ account: awakeAccount }, 5_000);
  const registry = setup({ use: guests });
  await registry.start({ port: 0, dataDir: data, signals: false, banner: false });
  const guest = (await registry.client()).account.getOrCreate("a");
  await guest.pay(1);
  // Batches follow each other: the helper never rests by itself.
  let told = 1;
  let over = false;
  const backup = registry.backup(to).finally(() => {
    over = true;
  });
  while (!over && told < 20_000) told = await guest.pay(1);
  await backup;
  expect(await guest.pay(1)).toBe(told + 1);
  await registry.stop();
  await restoreFolder({ env: testEnv(), from: to, dataDir: again });
  const restored = setup({ use: guests });
  await restored.start({ port: 0, dataDir: again, signals: false, banner: false });
  const found = await (await restored.client()).account.getOrCreate("a").look();
  expect(found.count).toBeGreaterThanOrEqual(1);
  expect(found).toEqual({
    balance: found.count,
    count: found.count,
    entries: { count: found.count, sum: found.count },
  });
  await restored.stop();
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

test("a folder that was left before it had its lock is removed when it is old; a young one may be about to get it", async () => {
  using directory = temporaryDirectory();
  const names = [".troupe-incomplete-old", ".troupe-incomplete-young"];
  const [old = "", young = ""] = names.map((name) => join(directory.path, name));
  const env = testEnv();
  for (const [path, age] of [
    [old, backupLimits.lockMs + 1_000],
    [young, 0],
  ] as const) {
    mkdirSync(path);
    const made = (env.clock.now() - age) / 1_000;
    utimesSync(path, made, made);
  }
  await using folder = await WholeFolder.make(join(directory.path, "whole"), env);
  folder.finish();
  expect(readdirSync(directory.path).sort()).toEqual([".troupe-incomplete-young", "whole"]);
});
