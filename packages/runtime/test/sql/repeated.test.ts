/** Statements that run again: kept prepared, and the reads of one turn together. What they give doesn't depend on it. */
import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { DataFile } from "../../src/node/sqlite/data-file.ts";
import { DataHealth } from "../../src/node/sqlite/data-health.ts";
import { createOwnFile, makeTemplate, PARTS } from "../../src/node/sqlite/own/own-database-file.ts";
import { openDatabase } from "../../src/node/sqlite/sqlite.ts";
import { World } from "../driver/world.ts";
import { Ground } from "./ground.ts";

const counts = actor({
  db: db({
    onMigrate: async (tx) => {
      await tx.execute("CREATE TABLE IF NOT EXISTS counts (id INTEGER PRIMARY KEY, n INTEGER)");
    },
  }),
  actions: {
    mixed: async (c) => {
      const all = () =>
        c.db.execute<{ id: number; n: number | bigint }>("SELECT id, n FROM counts ORDER BY id");
      const seen = [await all(), await all()];
      for (const n of [1, 2]) {
        await c.db.execute("INSERT INTO counts (n) VALUES (?)", n);
        seen.push(await all(), await all());
      }
      return seen.map((rows) => rows.length);
    },
    read: (c) => c.db.execute<{ n: number | bigint }>("SELECT n FROM counts ORDER BY id"),
    set: (c, n: bigint) => c.db.execute("UPDATE counts SET n = ? WHERE id = 1 RETURNING n", n),
    far: async (c, id: bigint) => {
      await c.db.execute("INSERT INTO counts (id, n) VALUES (?, 0)", id);
      return await c.db.execute("SELECT id FROM counts WHERE id = ?", id);
    },
    failing: async (c) => {
      const codes: unknown[] = [];
      for (let n = 0; n < 3; n += 1) {
        await c.db.execute("SELECT abs(n) FROM counts");
        codes.push(
          await c.db.execute("SELECT abs(-9223372036854775807 - 1)").catch((error: Error) => error.message),
        );
      }
      await c.db.execute("DELETE FROM counts WHERE id = 1");
      return codes;
    },
  },
});

test("reads before, between and after the writes of one turn see what it has written; a kill leaves all or nothing", async () => {
  await using ground = await Ground.start({ counts });
  const handle = ground.client.counts.getOrCreate("a");
  expect(await handle.mixed()).toEqual([0, 0, 1, 1, 2, 2]);
  await ground.kill();
  expect(await ground.client.counts.getOrCreate("a").read()).toEqual([{ n: 1 }, { n: 2 }]);
});

test("an integer grows past what a number holds under a statement that is kept", async () => {
  await using ground = await Ground.start({ counts });
  const handle = ground.client.counts.getOrCreate("a");
  await handle.mixed();
  expect(await handle.read()).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await handle.set(2n ** 60n)).toEqual([{ n: 2n ** 60n }]);
  expect(await handle.read()).toEqual([{ n: 2n ** 60n }, { n: 2 }]);
  expect(await handle.set(5n)).toEqual([{ n: 5 }]);
  expect(await handle.read()).toEqual([{ n: 5 }, { n: 2 }]);
  expect(await handle.far(2n ** 55n)).toEqual([{ id: 2n ** 55n }]);
});

test("a read that fails among others of its turn fails alone", async () => {
  await using ground = await Ground.start({ counts });
  const handle = ground.client.counts.getOrCreate("a");
  await handle.mixed();
  expect(await handle.failing()).toEqual(Array(3).fill(expect.stringContaining("integer overflow")));
  expect(await handle.read()).toEqual([{ n: 2 }]);
});

test("the reads of a turn hold up no checkpoint: what they have open ends with the turn, or with the first write", () => {
  const world = new World();
  const path = join(tmpdir(), `troupe-reads-${randomUUID()}`);
  const tasks: (() => void)[] = [];
  const file = new DataFile(path, new DataHealth(world, "."));
  writeFileSync(`${path}.new`, makeTemplate(`${path}.template`));
  const connection = createOwnFile(file, `${path}.new`, (task) => tasks.push(task));
  const other = openDatabase(path);
  const truncates = () => other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0;
  try {
    const count = connection.prepare("SELECT count(*) FROM sqlite_schema");
    if (count === undefined) throw new Error("nothing was prepared");
    const read = () => {
      connection.look();
      return connection.run(count, []).rows;
    };
    connection.commit({ rows: [{ key: "a", value: new Uint8Array(1) }] });
    read();
    read();
    expect(connection.database.isTransaction).toBe(true);
    expect(connection.inTransaction).toBe(false);
    connection.commit({ rows: [{ key: "b", value: new Uint8Array(1) }] });
    expect(truncates()).toBe(true);
    read();
    read();
    connection.commit({ rows: [] });
    for (const task of tasks) task();
    read();
    read();
    for (const task of tasks) task();
    expect(connection.database.isTransaction).toBe(false);
    expect(truncates()).toBe(true);
  } finally {
    other.close();
    connection.database.close();
    for (const part of PARTS) rmSync(path + part, { force: true });
    for (const part of PARTS) rmSync(`${path}.template${part}`, { force: true });
  }
});
